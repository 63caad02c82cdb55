// How are the histories of the replay tests recorded anew?
import { defineConfig } from 'vitest/config';
import tests from './vitest.config.ts';

export default defineConfig({ test: { ...tests.test, include: ['test/record-histories.ts'] } });
