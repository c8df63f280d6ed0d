/**
 * @file The analyser process: says what cannot be scripted while the user types. In: requests on standard input. Out: answers
 * on standard output. It reads files and runs none of the user's code; it ends with its input.
 */
import { Analyser } from '../script/analyse.ts';
import { serve } from './serve.ts';

await serve(process.stdin, process.stdout, new Analyser());
process.exit(0);
