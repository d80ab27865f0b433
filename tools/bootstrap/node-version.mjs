// @ts-check

/** First supported minor version of each supported major version; later majors are supported from 24.0 on. */
const FIRST_MINOR = new Map([
  [20, 19],
  [22, 13],
]);

/**
 * Why a Node version cannot be used, if so.
 * @param {string} version For example `20.19.0`.
 * @returns {string | undefined}
 */
export function nodeVersionProblem(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const firstMinor = FIRST_MINOR.get(major);
  if (major >= 24 || (firstMinor !== undefined && minor >= firstMinor)) return undefined;
  return `Node.js 20.19, 22.13, 24 or later is needed, this is ${version}. Install one from https://nodejs.org or with "nvm install".`;
}
