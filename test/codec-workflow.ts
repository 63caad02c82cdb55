// Which workflow says everything aloud that a codec must keep quiet?
import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

/** Takes, passes on and fails with the given word on every way there is. */
export async function talkativeWorkflow(word: string): Promise<string> {
  const heard: string[] = [];
  setHandler(defineSignal<[string]>('say'), (said) => {
    heard.push(said);
  });
  await condition(() => heard.length > 0);
  const { fail } = proxyActivities<{ fail(word: string): Promise<void> }>({
    startToCloseTimeout: '30s',
    retry: { maximumAttempts: 1 },
  });
  try {
    await fail(word);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : 'nothing';
    return `${heard.join()} then ${cause}`;
  }
  return 'nothing failed';
}
