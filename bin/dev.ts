#!/usr/bin/env -S node --no-warnings
/** Runs the sources as they are, without a build (Node 26): `node bin/dev.ts plan --profile colo`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settings } from '@oclif/core';
import { main } from '../src/cli/main.ts';

const root = join(import.meta.dirname, '..');
const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
pjson.oclif.commands.target = './src/cli/index.ts';
pjson.oclif.hooks.command_not_found.target = './src/cli/index.ts';
settings.enableAutoTranspile = false;
await main({ root, argv: process.argv.slice(2) }, { pjson, ignoreManifest: true });
