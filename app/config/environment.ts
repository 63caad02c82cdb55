// How are variables read so that all mistakes are told together?

/** One mistake: which variable, what is wrong, what to do. Never holds the value of a secret. */
export type Problem = { readonly variable: string; readonly what: string; readonly remedy: string };

/** The variables of a process and the mistakes found in them so far. */
export type Environment = {
  readonly names: readonly string[];
  /** Without blanks around it; undefined when it is not set or empty, as `FOO=` in a compose file means it. */
  get(name: string): string | undefined;
  /** Notes a mistake; reading goes on with a value that nobody will see. */
  report(problem: Problem): void;
  readonly problems: readonly Problem[];
};

export function createEnvironment(variables: NodeJS.ProcessEnv): Environment {
  const problems: Problem[] = [];
  return {
    names: Object.keys(variables),
    get: (name) => variables[name]?.trim() || undefined,
    report: (problem) => {
      problems.push(problem);
    },
    problems,
  };
}

/** One of `choices`, or the fallback when it is not set. */
export function readChoice<Choice extends string>(
  environment: Environment,
  variable: string,
  choices: readonly Choice[],
  fallback: Choice,
): Choice {
  const text = environment.get(variable);
  if (text === undefined) return fallback;
  const choice = choices.find((known) => known === text.toLowerCase());
  if (choice === undefined) {
    environment.report({ variable, what: 'is none of its values', remedy: `Use ${choices.join(', ')}.` });
  }
  return choice ?? fallback;
}

/** `true` or `false`, also as 1/0, yes/no, on/off. */
export function readFlag(environment: Environment, variable: string): boolean {
  const answers = ['true', '1', 'yes', 'on', 'false', '0', 'no', 'off'] as const;
  return answers.indexOf(readChoice(environment, variable, answers, 'false')) < answers.indexOf('false');
}

/**
 * A base address without a slash at its end. Plain http is for this machine only: elsewhere it would carry tokens
 * and programs readable and changeable.
 */
export function readAddress(environment: Environment, variable: string): URL | undefined {
  const text = environment.get(variable);
  if (text === undefined) return undefined;
  const url = URL.parse(text.replace(/\/+$/, ''));
  const remedy = 'Use https://HOST/PATH, or http:// for a loopback address.';
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    environment.report({ variable, what: 'is not an http(s) address', remedy });
  } else if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    environment.report({ variable, what: 'carries more than a host and a path', remedy });
  } else if (url.protocol === 'http:' && !isLoopback(url)) {
    environment.report({ variable, what: 'is not encrypted', remedy });
  } else {
    return url;
  }
  return undefined;
}

export function isLoopback(url: URL): boolean {
  return (
    url.hostname === 'localhost' || url.hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(url.hostname)
  );
}

/** The address as text, without the slash that URL puts behind a bare host. */
export function addressText(url: URL): string {
  return url.href.replace(/\/+$/, '');
}
