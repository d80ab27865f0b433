import { mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prepareDestinations } from '../src/destinations.ts';

let folder: string;
beforeEach(async () => (folder = await realpath(await mkdtemp(join(tmpdir(), 'destinations-')))));
afterEach(() => rm(folder, { recursive: true, force: true }));

const inFolder = (name: string): string => join(folder, name);
const refused = (message: string) => ({ code: 'cannotWrite', message });

/** Lets a user write to these paths alone, whoever runs the tests. */
const only =
  (...writable: string[]) =>
  async (path: unknown): Promise<void> => {
    if (!writable.includes(String(path))) throw new Error('EACCES: permission denied');
  };

describe.skipIf(process.platform === 'win32')('a device', () => {
  it('is written to as it is, so its folder need not be writable', async () => {
    await prepareDestinations({ json: '/dev/null', trace: '/dev/zero' }, only('/dev/null', '/dev/zero'));
  });

  it('that cannot be written to is refused', async () => {
    await expect(prepareDestinations({ trace: '/dev/null' }, only('/dev'))).rejects.toMatchObject(
      refused('--trace cannot write to /dev/null (EACCES: permission denied); give another place.'),
    );
  });

  it('may be given twice', async () => {
    await prepareDestinations({ json: '/dev/null', trace: '/dev/null' });
  });
});

it('asks for the folder of a file, through links', async () => {
  await mkdir(inFolder('real'));
  await writeFile(inFolder('real/run.json'), 'old');
  await symlink(inFolder('real/run.json'), inFolder('link.json'));
  const [json, trace] = [inFolder('link.json'), inFolder('new/trace.json')];
  await prepareDestinations({ json, trace }, only(inFolder('real'), inFolder('new')));
  await expect(prepareDestinations({ json, trace }, only(inFolder('real')))).rejects.toMatchObject(
    refused(`--trace cannot write in ${inFolder('new')} (EACCES: permission denied); give another place.`),
  );
});

describe('one file for two results is refused before anything is made', () => {
  const cases = [
    [
      'record and trace',
      { json: 'a/run.json', trace: 'a/b/../run.json' },
      ['--json', '--trace'],
      'a/run.json',
    ],
    ['record and model', { json: 'm/model.json', save: 'm' }, ['--json', '--save'], 'm/model.json'],
    ['trace and weights', { trace: 'm/weights.bin', save: 'm/' }, ['--trace', '--save'], 'm/weights.bin'],
  ] as const;
  it.each(cases)('%s', async (_name, names, options, place) => {
    const given = Object.fromEntries(
      Object.entries(names).map(([option, name]) => [option, `${folder}/${name}`]),
    );
    const [first, second] = Object.values(given);
    await expect(prepareDestinations(given)).rejects.toMatchObject(
      refused(
        `${options[0]} ${first} and ${options[1]} ${second} would both write ${inFolder(place)}; ` +
          'give one of them another place.',
      ),
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('through a link to a folder', async () => {
    await mkdir(inFolder('real'));
    await symlink(inFolder('real'), inFolder('link'));
    const [json, trace] = [inFolder('real/run.json'), inFolder('link/run.json')];
    await expect(prepareDestinations({ json, trace })).rejects.toMatchObject(
      refused(
        `--json ${json} and --trace ${trace} would both write ${json}; give one of them another place.`,
      ),
    );
  });
});

it('refuses a file that is the folder of another result', async () => {
  const json = inFolder('m');
  const message = `--json ${json} is a directory; give the name of a file.`;
  await expect(prepareDestinations({ json, save: json })).rejects.toMatchObject(refused(message));
  const trace = inFolder('t');
  await expect(prepareDestinations({ json: inFolder('t/run.json'), trace })).rejects.toMatchObject(
    refused(`--trace ${trace} is a directory; give the name of a file.`),
  );
});

it('takes a record, a trace and a model in one folder', async () => {
  const save = inFolder('m');
  await prepareDestinations({ json: join(save, 'run.json'), trace: join(save, 'trace.json'), save });
  expect(await readdir(folder)).toEqual(['m']);
});
