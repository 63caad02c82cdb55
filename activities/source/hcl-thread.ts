// What does one HCL file say, as JSON? The thread that parses, so that hostile files stop nothing else.
import { parentPort } from 'node:worker_threads';
import { parse } from '@cdktn/hcl2json';
import { parseTerraformFile, type TerraformFile } from './terraform-file.ts';

/** One file to parse; answers come in the order of the questions. */
export type HclQuestion = { readonly name: string; readonly text: string };
/** Null: this is no HCL. */
export type HclAnswer = TerraformFile | null;

let before = Promise.resolve();

parentPort?.on('message', (question: HclQuestion) => {
  before = before.then(async () => {
    const answer: HclAnswer = await parse(question.name, question.text).then(parseTerraformFile, () => null);
    parentPort?.postMessage(answer);
  });
});
