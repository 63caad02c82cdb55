// What do Terraform files say? Parsed once per content, in a thread that can be given up.
import { Worker } from 'node:worker_threads';
import type { Sha } from '../../workflows/model/identifiers.ts';
import type { HclAnswer, HclQuestion } from './hcl-thread.ts';
import { createMemo } from './memo.ts';
import {
  brokenFile,
  guessTerraformFile,
  hasDeclarations,
  isPointer,
  parseReads,
  parseTerraformFile,
  pointerFile,
  type TerraformFile,
} from './terraform-file.ts';

export type SourceFile = {
  readonly sha: Sha;
  readonly syntax: 'hcl' | 'json';
  /** Asked only for content that was never seen before; null when it is larger than `maxReadBytes`. */
  readonly load: () => Promise<string | null>;
};

export type HclReader = {
  /** In the order of `files`. Never throws for what a file says. */
  read(files: readonly SourceFile[]): Promise<TerraformFile[]>;
  close(): Promise<void>;
};

/** Files above this are not even looked over: no person wrote them. */
export const maxReadBytes = 8 * 1024 * 1024;
/** Parsing takes about 10 ms per kB at worst; a larger file is only looked over. */
const maxParsedLength = 256 * 1024;
/** A file that takes longer is built to take longer. */
const fileTimeoutMs = 10_000;
/** A few hundred bytes each. */
const maxCachedFiles = 20_000;

export function createHclReader(): HclReader {
  const memo = createMemo<TerraformFile>(maxCachedFiles);
  const thread = createThread();

  async function readFile(file: SourceFile): Promise<TerraformFile> {
    const text = await file.load();
    if (text === null) return brokenFile;
    if (isPointer(text)) return pointerFile;
    // Most files only have resources, and parsing one takes a hundred times as long as looking it over.
    if (file.syntax === 'hcl' && !hasDeclarations(text)) return parseReads(text);
    if (text.length > maxParsedLength) return guessTerraformFile(text);
    if (file.syntax === 'json') return readJson(text);
    return (await thread.parse({ name: `${file.sha}.tf`, text })) ?? guessTerraformFile(text);
  }

  return {
    read: (files) =>
      Promise.all(files.map((file) => memo(`${file.syntax}:${file.sha}`, () => readFile(file)))),
    close: () => thread.close(),
  };
}

function readJson(text: string): TerraformFile {
  try {
    return parseTerraformFile(JSON.parse(text));
  } catch {
    return guessTerraformFile(text);
  }
}

type Asked = { readonly question: HclQuestion; readonly resolve: (answer: HclAnswer) => void };

/** One thread that answers in order; when it hangs or dies, the file at fault is answered with null and the rest goes on. */
function createThread() {
  const asked: Asked[] = [];
  let worker: Worker | null = null;
  let timer: NodeJS.Timeout | undefined;

  function start(): Worker {
    const started = new Worker(new URL('./hcl-thread.ts', import.meta.url));
    started.on('message', (answer: HclAnswer) => {
      asked.shift()?.resolve(answer);
      watch();
    });
    started.on('error', () => giveUp(started));
    started.on('exit', () => giveUp(started));
    for (const { question } of asked) started.postMessage(question);
    return started;
  }

  function watch(): void {
    clearTimeout(timer);
    if (asked.length === 0) {
      worker?.unref();
      return;
    }
    worker?.ref();
    timer = setTimeout(() => worker !== null && giveUp(worker), fileTimeoutMs);
  }

  function giveUp(dead: Worker): void {
    if (dead !== worker) return;
    worker = null;
    void dead.terminate();
    asked.shift()?.resolve(null);
    if (asked.length > 0) worker = start();
    watch();
  }

  return {
    parse: (question: HclQuestion) =>
      new Promise<HclAnswer>((resolve) => {
        asked.push({ question, resolve });
        if (worker === null) worker = start();
        else worker.postMessage(question);
        if (asked.length === 1) watch();
      }),
    async close(): Promise<void> {
      const last = worker;
      worker = null;
      clearTimeout(timer);
      for (const { resolve } of asked.splice(0)) resolve(null);
      await last?.terminate();
    },
  };
}
