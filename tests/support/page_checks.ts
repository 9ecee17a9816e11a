/**
 * What is wrong with how a page looks and is built, measured in the browser itself.
 *
 * @module
 */
import type { Page } from "playwright-core";

/** Runs in the browser, so it has nothing but what is in it. */
function problemsOfDocument(): string[] {
  const problems: string[] = [];
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
  const shown = [...document.body.querySelectorAll("*")].filter((element) =>
    element.getClientRects().length > 0
  );
  for (const element of shown) {
    const own = [...element.childNodes].filter(({ nodeType }) => nodeType === 3).map(({ data }: any) => data);
    if (own.join("").trim() === "") continue;
    const tones = [luminance(getComputedStyle(element).color), luminance(backdrop(element))].sort((a, b) =>
      b - a
    );
    const contrast = (tones[0]! + 0.05) / (tones[1]! + 0.05);
    if (contrast < 4.5) problems.push(`contrast ${contrast.toFixed(1)} of "${own.join("").trim()}"`);
  }
  for (const control of document.querySelectorAll<HTMLElement>("button, input:not([type=hidden])")) {
    const { width, height } = control.getBoundingClientRect();
    if (width < 44 || height < 44) problems.push(`${control.outerHTML} is ${width} x ${height}`);
    if (parseFloat(getComputedStyle(control).fontSize) < 16) {
      problems.push(`${control.outerHTML} makes phones zoom`);
    }
  }
  for (const input of document.querySelectorAll<HTMLInputElement>("input:not([type=hidden])")) {
    if (input.labels?.length !== 1) problems.push(`${input.outerHTML} has no label`);
    for (const id of input.getAttribute("aria-describedby")?.split(" ") ?? []) {
      if (!document.getElementById(id)) problems.push(`nothing has the id ${id}`);
    }
  }
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) problems.push(`${wide} px too wide`);
  if (document.querySelectorAll("h1").length !== 1) problems.push("not one heading");
  if (document.querySelectorAll("main").length !== 1) problems.push("not one main part");
  if (document.title === "" || document.documentElement.lang === "") problems.push("no title or language");
  return problems;
}

/** What is wrong with the page as it is now. */
export async function pageProblems(page: Page): Promise<string[]> {
  return await page.evaluate(problemsOfDocument);
}
