/** The only style of the page. No colour says what words or shapes do not say, too. */
export const pageStyle = `
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --faint: #d0d7de; --quiet: #57606a; --new: #8250df; --live: #0a6e4f; --third: #9a5b00; --fourth: #57606a; --bad: #b3261e; --good: #0a6e4f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --paper: #0d1117; --faint: #30363d; --quiet: #9da7b1; --new: #c4a1ff; --live: #56d4a4; --third: #f0b35b; --fourth: #9da7b1; --bad: #ff8a80; --good: #56d4a4; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 62rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.25; } h2 { margin-top: 2.2rem; border-bottom: 1px solid var(--faint); } h3 { margin-top: 1.8rem; }
table { border-collapse: collapse; width: 100%; margin: .8rem 0; } th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid var(--faint); } th { font-weight: 600; }
th[scope=row] { white-space: nowrap; } .scroll { overflow-x: auto; } caption { text-align: left; color: var(--quiet); padding-bottom: .3rem; }
code, pre { font: 13px/1.45 ui-monospace, monospace; } pre { white-space: pre-wrap; margin: 0; }
figure { margin: 1.2rem 0; } figcaption { color: var(--quiet); }
.drawing { display: block; max-width: 100%; height: auto; color: var(--quiet); margin: .4rem 0; }
.drawing .new { color: var(--new); } .drawing .live { color: var(--live); } .drawing .third { color: var(--third); } .drawing .fourth { color: var(--fourth); }
.drawing .grid { color: var(--faint); } .drawing .bounds { stroke-width: 4; opacity: .55; } .drawing .limit { color: var(--bad); stroke-dasharray: 4 4; }
.fail, .aborted, .rolled-back { color: var(--bad); font-weight: 600; } .pass, .released { color: var(--good); font-weight: 600; } .quiet { color: var(--quiet); }
@media print { body { max-width: none; } details > * { display: block; } }
`;
