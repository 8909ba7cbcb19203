/**
 * The look, light and dark. Roles differ in lightness and in outline too, not in colour alone: isolated is solid and
 * dark, irq solid and light, housekeeping pale, offline dashed.
 */
const LIGHT = {
  paper: '#ffffff',
  card: '#f6f8fa',
  panel: '#ffffff',
  cache: '#f1f4f8',
  line: '#d5dce4',
  ink: '#1b2430',
  muted: '#5b6777',
  wire: '#9aa7b5',
  accent: '#8145d6',
  core: '#ffffff',
  isolated: '#1f5fd1',
  'isolated-ink': '#ffffff',
  irq: '#f5a524',
  'irq-ink': '#3a2400',
  housekeeping: '#c7d2df',
  'housekeeping-ink': '#27323f',
  offline: 'none',
  'offline-ink': '#6b7785',
  hugepages: '#14a38b',
} as const;

const DARK: Record<keyof typeof LIGHT, string> = {
  paper: '#0d1117',
  card: '#141a22',
  panel: '#1a222c',
  cache: '#212b37',
  line: '#323e4c',
  ink: '#e8edf3',
  muted: '#9dabba',
  wire: '#5d6b7a',
  accent: '#b68cff',
  core: '#131a22',
  isolated: '#3d82f6',
  'isolated-ink': '#ffffff',
  irq: '#f5b041',
  'irq-ink': '#2b1b00',
  housekeeping: '#4a596a',
  'housekeeping-ink': '#eef3f8',
  offline: 'none',
  'offline-ink': '#8996a4',
  hugepages: '#2cc2a6',
};

const RULES = `
.hft-topology {
  font-family: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
.hft-topology text { fill: var(--hft-ink); font-size: 12px; }
.hft-topology .paper { fill: var(--hft-paper); }
.hft-topology .card { fill: var(--hft-card); stroke: var(--hft-line); }
.hft-topology .panel { fill: var(--hft-panel); stroke: var(--hft-line); }
.hft-topology .panel.trading { stroke: var(--hft-accent); stroke-width: 2; }
.hft-topology .cache { fill: var(--hft-cache); }
.hft-topology .core { fill: var(--hft-core); stroke: var(--hft-line); }
.hft-topology .wire { fill: none; stroke: var(--hft-wire); stroke-width: 2; stroke-linejoin: round; }
.hft-topology .wire.trading { stroke: var(--hft-accent); }
.hft-topology text.host { font-size: 22px; font-weight: 700; }
.hft-topology text.title { font-size: 14px; font-weight: 650; }
.hft-topology text.strong { font-weight: 650; }
.hft-topology text.muted { fill: var(--hft-muted); }
.hft-topology text.small { fill: var(--hft-muted); font-size: 11px; }
.hft-topology text.number { font-size: 11.5px; font-variant-numeric: tabular-nums; }
.hft-topology .isolated { fill: var(--hft-isolated); }
.hft-topology .cpu.taken { stroke: var(--hft-accent); stroke-width: 2.5; }
.hft-topology text.on-isolated { fill: var(--hft-isolated-ink); }
.hft-topology .irq { fill: var(--hft-irq); }
.hft-topology text.on-irq { fill: var(--hft-irq-ink); }
.hft-topology .housekeeping,
.hft-topology .online,
.hft-topology .mixed { fill: var(--hft-housekeeping); }
.hft-topology text.on-housekeeping,
.hft-topology text.on-online,
.hft-topology text.on-mixed { fill: var(--hft-housekeeping-ink); }
.hft-topology .offline { fill: var(--hft-offline); stroke: var(--hft-offline-ink); stroke-dasharray: 3 2; }
.hft-topology text.on-offline { fill: var(--hft-offline-ink); }
.hft-topology .pill { fill: none; stroke: var(--hft-wire); }
.hft-topology .pill.trading { fill: var(--hft-accent); stroke: none; }
.hft-topology text.on-pill { font-size: 11px; fill: var(--hft-muted); }
.hft-topology text.on-pill.trading { fill: var(--hft-paper); font-weight: 650; }
.hft-topology .memory { fill: var(--hft-line); }
.hft-topology .hugepages { fill: var(--hft-hugepages); }
`;

/** The picture's own style sheet. Every rule and variable begins with hft: it can stand in a page with others. */
export function drawStyle(): string {
  return `<style>
.hft-topology { ${listVariables(LIGHT)} }
@media (prefers-color-scheme: dark) { .hft-topology { ${listVariables(DARK)} } }${RULES}</style>`;
}

function listVariables(colours: Record<string, string>): string {
  return Object.entries(colours)
    .map(([name, colour]) => `--hft-${name}: ${colour};`)
    .join(' ');
}
