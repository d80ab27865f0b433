// @ts-check

/** What Nx's boundary rule prints when it checks nothing, for want of a project graph; ESLint passes all the same. */
export const RULE_SKIPPED = /The rule will be skipped/;
