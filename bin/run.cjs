'use strict';
// Old Nodes must be able to parse this file: it is what tells their users so.
const { join } = require('node:path');

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  process.stderr.write(`hft: Node ${process.versions.node} is too old, hft needs 20 or newer.\n`);
  process.stderr.write('  Run npm ci without --omit=optional: it brings its own Node.\n');
  process.exit(69);
}
require('../dist/start.cjs').start({ root: join(__dirname, '..'), argv: process.argv.slice(2) });
