/** @file `node --import jitlens/register file.ts`: users' TypeScript runs without a build. */
import { register } from 'node:module';

process.setSourceMapsEnabled(true);
register('./hooks.js', import.meta.url);
