/**
 * What is wrong with how a page looks and is built, measured in the browser itself.
 *
 * @module
 */
import type { Page } from "playwright-core";

/** What is wrong with the page as it is now. */
export async function pageProblems(page: Page): Promise<string[]> {
  const found = [];
  for (const check of [faintTexts, awkwardControls, badStructure]) found.push(...await page.evaluate(check));
  return found;
}

// These run in the browser, so each has nothing but what is in it.

/** Texts with less contrast than WCAG 2.2 asks for (1.4.3). */
function faintTexts(): string[] {
  const rgb = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = rgb(color).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const backdrop = (element: Element | null): string => {
    if (!element) return "rgb(255, 255, 255)";
    const { backgroundColor } = getComputedStyle(element);
    return rgb(backgroundColor)[3] === 0 ? backdrop(element.parentElement) : backgroundColor;
  };
  return [...document.body.querySelectorAll("*")].flatMap((element) => {
    const texts = [...element.childNodes].filter(({ nodeType }) => nodeType === Node.TEXT_NODE);
    const text = texts.map(({ textContent }) => textContent).join("").trim();
    if (text === "" || element.getClientRects().length === 0) return [];
    const tones = [luminance(getComputedStyle(element).color), luminance(backdrop(element))];
    const contrast = (Math.max(...tones) + 0.05) / (Math.min(...tones) + 0.05);
    return contrast < 4.5 ? [`"${text}" has a contrast of ${contrast.toFixed(1)}`] : [];
  });
}

/** Controls that are hard to touch, that make a phone zoom, or that nothing describes. */
function awkwardControls(): string[] {
  const problems: string[] = [];
  for (const control of document.querySelectorAll<HTMLElement>("button, input:not([type=hidden])")) {
    const { width, height } = control.getBoundingClientRect();
    if (width < 44 || height < 44) problems.push(`${control.outerHTML} is ${width} x ${height}`);
    const zooms = parseFloat(getComputedStyle(control).fontSize) < 16;
    if (zooms) problems.push(`${control.outerHTML} makes phones zoom`);
    const missing = control.getAttribute("aria-describedby")?.split(" ").filter((id) =>
      !document.getElementById(id)
    );
    if (missing && missing.length > 0) problems.push(`nothing has the id ${missing}`);
  }
  for (const input of document.querySelectorAll<HTMLInputElement>("input:not([type=hidden])")) {
    if (input.labels?.length !== 1) problems.push(`${input.outerHTML} has no label`);
  }
  return problems;
}

/** Parts that a page must have, and its width. */
function badStructure(): string[] {
  const count = (selector: string) => document.querySelectorAll(selector).length;
  const wide = document.documentElement.scrollWidth - innerWidth;
  return [
    ...(wide > 0 ? [`it is ${wide} px too wide`] : []),
    ...(count("h1") === 1 ? [] : ["it has not one heading"]),
    ...(count("main") === 1 ? [] : ["it has not one main part"]),
    ...(document.title === "" || document.documentElement.lang === "" ? ["it has no title or language"] : []),
  ];
}
