// How much of a stack does a workflow remember?

/**
 * Temporal notes the stack of every promise that a workflow makes, and that took a third of the time of each step. One
 * frame still tells where an error was thrown. Set before the first workflow: from then on `Error` cannot be changed.
 */
Error.stackTraceLimit = 1;
