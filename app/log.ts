// What does the process say about itself, and what must it never say?
import type { Logger as TemporalLogger } from '@temporalio/common';
import type { DestinationStream, Logger } from 'pino';
import pino from 'pino';
import { createRedactor } from './redaction.ts';

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** What a line can be about. Ids, never contents. */
export type LogContext = {
  /** GitHub's GUID of the webhook delivery. */
  readonly delivery?: string;
  /** `owner/name`. */
  readonly repository?: string;
  readonly pullRequest?: number;
  readonly sha?: string;
};

/**
 * One JSON object per line, on standard output unless told otherwise. Tokens, keys and the given `secrets` are
 * blanked in the finished line, wherever they stand in it; payload bodies are left out.
 */
export function createLog(options: {
  readonly level: LogLevel;
  readonly secrets: readonly string[];
  readonly destination?: DestinationStream;
}): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: {
      err: describeError,
      error: describeError,
      event: describeEvent,
      req: describeRequest,
      res: describeResponse,
    },
    redact: { paths: [...bodies, ...bodies.map((body) => `*.${body}`)], remove: true },
    hooks: { streamWrite: createRedactor(options.secrets) },
  };
  return pino(settings, options.destination ?? pino.destination({ fd: 1, sync: true }));
}

/** Where libraries put what GitHub sent, or what was sent to it. */
const bodies = ['payload', 'body', 'rawBody'];

/** A log for everything that is said about one thing. */
export function logAbout(log: Logger, about: LogContext): Logger {
  return log.child(about);
}

/** For `Runtime.install({ logger })`: Temporal's lines in ours, with their workflow and activity ids. */
export function temporalLogger(log: Logger): TemporalLogger {
  const child = log.child({ component: 'temporal' });
  const say =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, meta: Record<string | symbol, unknown> = {}): void =>
      child[level](meta, message);
  return {
    trace: say('trace'),
    debug: say('debug'),
    info: say('info'),
    warn: say('warn'),
    error: say('error'),
    log: (level, message, meta) => say(levelNames[level])(message, meta),
  };
}

const levelNames = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** For `new Probot({ log })`. */
export function probotLogger(log: Logger): Logger {
  return log.child({ component: 'probot' });
}

/** How many causes of a cause are told. */
const maxCauses = 5;

/** Only these fields: GitHub's client hangs whole requests, and Probot whole webhooks, on the errors they throw. */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...('code' in error ? { code: error.code } : {}),
    ...('status' in error ? { status: error.status } : {}),
    ...(error instanceof AggregateError && depth < maxCauses
      ? { errors: error.errors.slice(0, maxCauses).map((inner) => describeError(inner, depth + 1)) }
      : {}),
    ...(error.cause !== undefined && depth < maxCauses
      ? { cause: describeError(error.cause, depth + 1) }
      : {}),
  };
}

/** A webhook event, as Probot logs it when debugging. */
function describeEvent(event: unknown): unknown {
  return pick(event, ['id', 'name']);
}

function describeRequest(request: unknown): unknown {
  return pick(request, ['id', 'method', 'url']);
}

function describeResponse(response: unknown): unknown {
  return pick(response, ['statusCode']);
}

function pick(value: unknown, keys: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(keys.flatMap((key) => (key in value ? [[key, Reflect.get(value, key)]] : [])));
}
