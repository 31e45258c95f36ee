/**
 * The looks of the page: one style sheet, light and dark by what the reader's system prefers, and on paper.
 */

/** Fixed colours by family: ours stands out, peers are quiet; the same subject has the same colour in every picture. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d2329; --quiet: #66707a; --line: #e3e1dc; --grid: #eceae5;
  --ours: #0b6e6e; --ours-2: #4b5fc4; --ours-3: #a3487f; --ours-4: #b4690e; --peer: #8a939c; --peer-2: #b9a27f; --peer-3: #a3b18a; --peer-4: #c39b95;
  --good: #1e7b4f; --good-back: #e2f2e9; --fair: #2c6aa0; --fair-back: #e3eef8; --bad: #b3372f; --bad-back: #f9e4e1;
  --unsure: #8a6410; --unsure-back: #f8efd7; --none-back: #efeeeb;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181c; --card: #1c2228; --ink: #e6e9ec; --quiet: #98a2ac; --line: #2d353d; --grid: #262d34;
    --ours: #3fc1b8; --ours-2: #93a4ff; --ours-3: #e58fc4; --ours-4: #f0ab55; --peer: #7d8790; --peer-2: #a58f6d; --peer-3: #87976c; --peer-4: #ab807a;
    --good: #6fd3a0; --good-back: #17382a; --fair: #86bff0; --fair-back: #17304a; --bad: #f59388; --bad-back: #45201d;
    --unsure: #e6c06a; --unsure-back: #3c3116; --none-back: #262d34;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 40px 20px 60px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 19px; margin: 44px 0 4px; }
p { margin: 4px 0 12px; max-width: 88ch; text-wrap: pretty; }
.quiet { color: var(--quiet); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px; margin: 14px 0; overflow-x: auto; }
.warning { border-left: 4px solid var(--unsure); background: var(--unsure-back); padding: 10px 16px; border-radius: 6px; margin: 10px 0; }
.sums { display: flex; flex-wrap: wrap; gap: 12px; margin: 22px 0 4px; padding: 0; list-style: none; }
.sums li { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 18px; min-width: 128px; }
.sums b { display: block; font-size: 26px; line-height: 1.2; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--quiet); font-size: 13px; }
th, td { padding: 7px 12px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
tr:last-child td { border-bottom: 0; }
.number { text-align: right; white-space: nowrap; }
td small { display: block; color: var(--quiet); font-size: 12.5px; line-height: 1.4; }
.ours td:first-child { font-weight: 600; }
.tag { display: inline-block; padding: 1px 10px; border-radius: 999px; font-size: 13px; white-space: nowrap; }
.aim { background: var(--good-back); color: var(--good); } .met { background: var(--fair-back); color: var(--fair); }
.missed { background: var(--bad-back); color: var(--bad); } .noise { background: var(--unsure-back); color: var(--unsure); }
.unmeasured { background: var(--none-back); color: var(--quiet); }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
svg text { fill: var(--ink); } svg .soft { fill: var(--quiet); } svg .grid { stroke: var(--grid); } svg .axis { stroke: var(--line); }
ul.method { padding-left: 20px; max-width: 86ch; } ul.method li { margin: 3px 0; }
details summary { cursor: pointer; color: var(--quiet); }
@media print { body { background: #fff; } .card { break-inside: avoid; } }
`;
