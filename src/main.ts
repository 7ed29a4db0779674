import 'reflect-metadata';
import { setFlagsFromString } from 'node:v8';
import { run } from './app/run.js';

// By itself the heap grows to several times of what lives in it before it is looked through, on a machine with much
// memory even more: what this process needs would depend on where it runs.
setFlagsFromString('--heap-growing-percent=30');

await run(process.env, process.argv.slice(2));
