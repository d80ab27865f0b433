import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome'];
const FOLDERS = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/opt/google/chrome'];

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Where an installed Chromium or Chrome is; undefined where there is none. Tests never download one. */
export const chromium: string | undefined = FOLDERS.filter(Boolean)
  .flatMap((folder) => NAMES.map((name) => join(folder, name)))
  .find(isProgram);
