/** Light and dark by the reader's preference; six lines of different lightness (they have marks of their own too). */
const LIGHT = {
  paper: '#ffffff',
  panel: '#f6f8fa',
  ink: '#1b2430',
  muted: '#576374',
  rule: '#d5dce4',
  faint: '#edf0f4',
  pass: '#0b6b3a',
  fail: '#b3261e',
  open: '#7a5200',
  'pass-back': '#dff3e6',
  'fail-back': '#fbe4e2',
  'open-back': '#fdf0d0',
  k0: '#0b5cad',
  k1: '#c24a00',
  k2: '#00755a',
  k3: '#a3397c',
  k4: '#7a6400',
  k5: '#4a4f55',
  h0: '#eaf2fb',
  h1: '#cfe1f3',
  h2: '#a9cbe8',
  h3: '#78acd9',
  h4: '#4788c4',
  h5: '#2163a3',
  h6: '#0d3f77',
  'h-light': '#ffffff',
  'h-dark': '#10233a',
} as const;

const DARK: Record<keyof typeof LIGHT, string> = {
  paper: '#0d1117',
  panel: '#151c25',
  ink: '#e6ebf1',
  muted: '#9dabba',
  rule: '#364252',
  faint: '#1d2632',
  pass: '#6fdc9a',
  fail: '#ff9a92',
  open: '#f2c94c',
  'pass-back': '#12351f',
  'fail-back': '#46191a',
  'open-back': '#3d300d',
  k0: '#66b2ff',
  k1: '#ff9a5c',
  k2: '#3ddbb0',
  k3: '#f59bd0',
  k4: '#e3c73f',
  k5: '#c0c8d1',
  h0: '#10233a',
  h1: '#163759',
  h2: '#1e4f80',
  h3: '#2b6cab',
  h4: '#4a8fce',
  h5: '#80b7e6',
  h6: '#c3def6',
  'h-light': '#10233a',
  'h-dark': '#ffffff',
};

const DASHES = ['none', '8 3', '3 2.5', '10 3 2 3', '5 5', '12 4'];

function listVariables(colours: Readonly<Record<string, string>>): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--${name}:${colour};`)
    .join('');
}

const KINDS = DASHES.map(
  (dashes, kind) => `
.k${kind}{stroke:var(--k${kind})}
.curve.k${kind}{stroke-dasharray:${dashes}}`,
).join('');

const LEVELS = [0, 1, 2, 3, 4, 5, 6]
  .map(
    (level) =>
      `.heat.h${level}{fill:var(--h${level})}.plot .on-h${level}{fill:var(--h-${level > 3 ? 'light' : 'dark'})}`,
  )
  .join('\n');

const RULES = `
*{box-sizing:border-box}
html{background:var(--paper);color:var(--ink);-webkit-text-size-adjust:100%}
body{margin:0;font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:960px;margin:0 auto;padding:24px 20px 48px}
h1{font-size:28px;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:20px;margin:40px 0 10px;padding-top:14px;border-top:1px solid var(--rule)}
h3{font-size:15px;margin:20px 0 6px}
h3 .muted{font-weight:400;font-size:13px}
p{margin:6px 0;overflow-wrap:anywhere}
.muted{color:var(--muted)}
.small{display:block;font-size:12px;color:var(--muted);font-weight:400}
code{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
.verdict{margin:14px 0;padding:10px 14px;border-radius:8px;background:var(--panel);border-left:5px solid var(--muted);font-size:16px}
.verdict.pass{background:var(--pass-back);border-color:var(--pass)}
.verdict.fail{background:var(--fail-back);border-color:var(--fail)}
.verdict.inconclusive{background:var(--open-back);border-color:var(--open)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;margin:6px 0 10px;font-size:13.5px}
table.verdicts{table-layout:fixed;min-width:820px}
th,td{text-align:left;vertical-align:top;padding:6px 8px;border-bottom:1px solid var(--rule);overflow-wrap:anywhere}
thead th{font-size:12px;font-weight:600;color:var(--muted)}
tbody th{font-weight:600}
.unseen th{font-size:0;line-height:0;padding:0;color:transparent}
.facts th{width:210px;font-weight:500;color:var(--muted)}
.figure{font-variant-numeric:tabular-nums;white-space:nowrap}
.number{font-variant-numeric:tabular-nums}
.causes .number{white-space:nowrap}
.causes thead th{white-space:nowrap}
.number.fail .figure{color:var(--fail);font-weight:650}
.number.pass .figure{color:var(--pass)}
.number.inconclusive .figure{color:var(--open)}
.beside th,.beside td{color:var(--muted);font-weight:400;font-size:12.5px;padding-top:2px;border-bottom-color:var(--rule)}
.badge{display:inline-block;padding:1px 8px;border-radius:10px;font-size:12.5px;font-weight:600;white-space:nowrap;background:var(--faint);color:var(--muted)}
.badge.pass{background:var(--pass-back);color:var(--pass)}
.badge.fail{background:var(--fail-back);color:var(--fail)}
.badge.inconclusive,.badge.pending-reboot{background:var(--open-back);color:var(--open)}
.badges .badge{margin:0 8px 4px 0}
ul.plain{padding-left:20px;margin:6px 0}
li{overflow-wrap:anywhere}
details{margin:6px 0}
summary{cursor:pointer;color:var(--ink);padding:3px 0}
.irqs th:first-child{width:190px}
.irqs th:nth-child(2){width:90px}
.queue{display:inline-block;margin:0 14px 2px 0;white-space:nowrap}
figure{margin:18px 0 26px;padding:0;break-inside:avoid}
figcaption{margin-bottom:6px}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:4px 22px;margin:8px 0 0;padding:0;font-size:13px}
.legend li{display:flex;align-items:center;gap:7px}
.key{flex:none}
.plot{display:block;width:100%;height:auto}
.plot text{fill:var(--ink);font-size:12px}
.plot .tick{fill:var(--muted);font-size:11.5px;font-variant-numeric:tabular-nums}
.plot .middle{text-anchor:middle}
.plot .end{text-anchor:end}
.plot .strip-name{font-size:12px;font-weight:600}
.plot .cell{font-size:11px;font-variant-numeric:tabular-nums}
.major{stroke:var(--rule);fill:none}
.minor{stroke:var(--faint);fill:none}
.curve{fill:none;stroke-width:2.2;stroke-linejoin:round}
.before{fill:none;stroke-width:1.2;stroke-dasharray:2 3;opacity:.85}
.mark{fill:var(--paper);stroke-width:1.8}
.gap{stroke-width:1.4}
.gap-rest{fill:var(--muted)}
.interval path{fill:none;stroke-width:1.6}
.interval.open path{stroke-dasharray:1.5 2.5}
.limit{fill:none;stroke:var(--ink);stroke-width:2.4}
.plot .limit-text{font-weight:600;paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.stems{stroke:var(--k0);fill:none}
${LEVELS}
.plot .heat{stroke:none}
@media (max-width:640px){
main{padding:16px 12px 32px}
h1{font-size:23px}
table.verdicts{min-width:0;table-layout:auto}
thead,colgroup{display:none}
tbody,tr,th[scope=row],td{display:block;width:auto}
tr{border-bottom:1px solid var(--rule);padding:6px 0}
th,td{border:0;padding:2px 0}
.facts th{width:auto;padding-top:4px}
td[data-label]{display:grid;grid-template-columns:84px 1fr;column-gap:8px}
td[data-label]::before{content:attr(data-label);grid-row:1/span 4;color:var(--muted);font-size:12px;overflow-wrap:anywhere}
td[data-label]>*{grid-column:2;justify-self:start}
}
@media print{
body{font-size:11px}
main{max-width:none;padding:0}
h2{break-after:avoid;margin-top:22px}
h3,figcaption{break-after:avoid}
tr,.verdict{break-inside:avoid}
.scroll{overflow:visible}
table,table.verdicts{min-width:0;font-size:10.5px}
.small,.beside th,.beside td{font-size:9.5px}
h3 .muted,.legend,.badge{font-size:10px}
.plot{min-width:0!important}
.badge,.verdict,.heat,.mark,.curve{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible;block-size:auto}
summary{list-style:none;font-weight:600}
}
@page{margin:14mm}
`;

export const PAGE_STYLE = `
:root{${listVariables(LIGHT)}color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{${listVariables(DARK)}}}${RULES}${KINDS}
`;
