/** Style of the report: system fonts, both colour schemes, prints well. */
export const pageStyle = `
:root {
  --paper: #ffffff; --panel: #f6f7f9; --ink: #14181f; --soft: #5a6472; --line: #dfe3e8;
  --blue: #2f6fe0; --green: #12976a; --good: #0f8a5f; --bad: #c8322b; --band: #f0b42940;
  --ready: #9aa5b4; --identity: #b48ad6; --write: #e0952f; --proof: #3fa7b8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #101317; --panel: #191e24; --ink: #e9edf2; --soft: #98a3b1; --line: #2c343d;
    --blue: #5b93f5; --green: #35c08e; --good: #3fcf9a; --bad: #ff6b62; --band: #f0b42930;
    --ready: #6d7986; --identity: #a986cc; --write: #d99a45; --proof: #4fb4c4;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 32px 20px 64px; }
.brand { margin: 0; font-weight: 600; } .brand span { color: var(--soft); font-weight: 400; }
h1 { margin: 18px 0 0; font-size: 52px; line-height: 1.1; letter-spacing: -0.02em; font-weight: 700; }
h1 small { display: inline-block; font-size: 20px; font-weight: 400; letter-spacing: 0; color: var(--soft); }
h1.passed { color: var(--good); } h1.failed { color: var(--bad); }
h2 { margin: 40px 0 10px; font-size: 18px; }
.about, .note { color: var(--soft); margin: 10px 0 0; } .note { font-size: 13px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 10px; margin-top: 28px; }
.tiles div { background: var(--panel); border-radius: 10px; padding: 12px 14px; }
.tiles strong { display: block; font-size: 24px; font-variant-numeric: tabular-nums; font-weight: 600; }
.tiles i { font-style: normal; font-size: 15px; color: var(--soft); font-weight: 400; }
.tiles span { display: block; font-size: 12.5px; line-height: 1.35; color: var(--soft); }
svg { display: block; width: 100%; height: auto; margin-top: 12px; }
.grid { stroke: var(--line); stroke-width: 1; }
.tick, .unit { fill: var(--soft); font-size: 11px; } .switch { fill: var(--ink); font-size: 11px; font-weight: 600; }
.unit { text-anchor: start; }
.area { opacity: 0.85; } .area.blue { fill: var(--blue); } .area.green { fill: var(--green); }
.band { fill: var(--band); } rect.band:hover { stroke: var(--soft); stroke-width: 0.5; }
.latency { fill: none; stroke: var(--soft); stroke-width: 1.4; stroke-linejoin: round; }
.failure { fill: var(--bad); stroke: var(--paper); stroke-width: 1.5; }
.legend { margin: 0; color: var(--soft); font-size: 13px; }
.key { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin: 0 6px 0 16px; vertical-align: -1px; background: var(--soft); }
.legend .key:first-child, th .key { margin-left: 0; }
.key.blue, b.blue { background: var(--blue); } .key.green { background: var(--green); }
.key.band { background: var(--band); outline: 1px solid var(--line); }
.key.ready, b.ready { background: var(--ready); } .key.identity, b.identity { background: var(--identity); }
.key.write, b.write { background: var(--write); } .key.proof, b.proof { background: var(--proof); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 500; font-size: 12.5px; color: var(--soft); white-space: nowrap; }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--line); } .number { text-align: right; }
td:first-child { white-space: nowrap; }
.bars { width: 34%; min-width: 160px; padding-left: 8px; padding-right: 0; font-size: 0; white-space: nowrap; }
.bars b { display: inline-block; height: 12px; }
.slot { font-weight: 600; } .slot.blue { color: var(--blue); } .slot.green { color: var(--green); }
details { margin-top: 10px; } summary { cursor: pointer; color: var(--soft); }
ol, ul { padding-left: 20px; } ol { font-size: 13.5px; } ol span { color: var(--soft); font-variant-numeric: tabular-nums; } em { font-style: normal; color: var(--soft); }
code { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 600px) { h1 { font-size: 40px; } h1 small { display: block; font-size: 17px; } }
`;
