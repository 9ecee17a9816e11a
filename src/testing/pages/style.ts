/**
 * How the pages look: one small style sheet, in light and dark, for phones first.
 *
 * @module
 */

/** The style sheet of all pages. Every text has a contrast of at least 4.5 to 1, every control is 44 px high. */
export const STYLE: string = `
:root{color-scheme:light dark;--back:#eef1f5;--card:#fff;--text:#1b2130;--soft:#566074;--line:#8590a6;
--main:#2457b8;--on:#fff;--tint:#e8effb;--bad:#a8201a;--pale:#fdeeed;--good:#1c6b3a}
@media(prefers-color-scheme:dark){:root{--back:#12151c;--card:#1d222c;--text:#eef1f6;--soft:#a9b3c5;--line:#717d94;
--main:#8db4ff;--on:#0d1a33;--tint:#26324a;--bad:#ffaaa4;--pale:#3d2325;--good:#7fd6a0}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;flex-direction:column;background:var(--card);
color:var(--text);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{flex:1;width:100%;max-width:27rem;margin:0 auto;padding:1.5rem 1.25rem}
footer{padding:1rem 1.25rem;text-align:center;font-size:.8125rem;color:var(--soft)}
@media(min-width:30rem){body{background:var(--back);justify-content:center}
main{flex:none;background:var(--card);border-radius:12px;padding:2.25rem;box-shadow:0 2px 16px #0003}}
@media(min-width:30rem) and (min-height:36rem){main{margin-top:1rem}}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem;overflow-wrap:anywhere}
h1:focus{outline:0}
p,ul,dl{margin:0 0 1rem;overflow-wrap:anywhere}
.at{display:flex;gap:.625rem;align-items:center;margin:0 0 1.25rem;color:var(--soft);font-weight:600;min-width:0}
.at svg{flex:none;fill:var(--main)}
.soft{color:var(--soft)}
bdi,b{overflow-wrap:anywhere}
a{color:var(--main)}
.who{display:inline-block;max-width:100%;padding:.25rem .75rem;border-radius:1rem;background:var(--tint);
font-size:.9375rem}
.error{padding:.75rem 1rem;border-left:4px solid var(--bad);border-radius:4px;background:var(--pale);
color:var(--bad);font-weight:600}
label{display:block;margin:0 0 .25rem;font-weight:600}
.hint{margin:.25rem 0 0;font-size:.875rem;color:var(--soft)}
.field{margin:0 0 1rem}
input:not([type=hidden]){width:100%;min-height:2.875rem;padding:.5rem .75rem;border:1px solid var(--line);
border-radius:6px;background:var(--card);color:inherit;font:inherit}
input[aria-invalid]{border:2px solid var(--bad)}
.code{font-family:ui-monospace,monospace;font-size:1.25rem;letter-spacing:.15em}
input.upper{text-transform:uppercase}
.buttons{display:flex;flex-direction:column;gap:.75rem;margin-top:1.5rem}
@media(min-width:30rem){.buttons{flex-direction:row}.buttons button{flex:1}}
button{min-height:2.875rem;padding:.5rem 1.25rem;border:1px solid var(--line);border-radius:6px;background:none;
color:inherit;font:inherit;font-weight:600;cursor:pointer}
button.main{background:var(--main);border-color:var(--main);color:var(--on)}
button:hover{background:var(--tint)}
button.main:hover{background:var(--main);text-decoration:underline}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
.accounts{list-style:none;padding:0;margin:1.25rem 0 0}
.accounts li{margin:0 0 .5rem}
.accounts button{display:flex;gap:.875rem;align-items:center;width:100%;min-height:3.75rem;padding:.5rem .75rem;
text-align:left;font-weight:400}
.face{flex:none;display:grid;place-items:center;width:2.5rem;height:2.5rem;border-radius:50%;
background:var(--tint);color:var(--main);font-weight:700}
.name{min-width:0}
.name bdi{display:block}
.name bdi+bdi{font-size:.875rem;color:var(--soft)}
.scopes{padding:0;list-style:none;border:1px solid var(--line);border-radius:6px}
.scopes li{padding:.625rem .875rem}
.scopes li+li{border-top:1px solid var(--line)}
.scopes code{display:block;font-size:.8125rem;color:var(--soft);overflow-wrap:anywhere}
dl{font-size:.875rem}
dt{color:var(--soft)}
dd{margin:0 0 .5rem;font-family:ui-monospace,monospace;overflow-wrap:anywhere}
.mark{display:grid;place-items:center;width:3rem;height:3rem;margin:0 0 1rem;border-radius:50%;
background:var(--tint);color:var(--good);font-size:1.5rem;font-weight:700}
.mark.bad{background:var(--pale);color:var(--bad)}
iframe{display:none}
@media(forced-colors:active){button.main{border-width:3px}}
`;
