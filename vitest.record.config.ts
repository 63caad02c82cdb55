// How are the histories of the replay tests recorded anew?
import { defineConfig } from 'vitest/config';
import tests from './vitest.config.ts';

const { projects: _, ...test } = tests.test ?? {};

export default defineConfig({ test: { ...test, include: ['test/record-histories.ts'] } });
