import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shuffled, type IndexSampler } from '@batchwise/sampler';
import { bucketed, paddingReport } from '@batchwise/sampler-bucket';
import { competence, curriculum } from '@batchwise/sampler-curriculum';
import { describeSampler } from '@batchwise/testing';
import { describe, expect, it } from 'vitest';

const file = join(process.env['BATCHWISE_DATA_DIR'] ?? '', 'sst2/train.tsv');
const missing = !existsSync(file);
const lengths = missing
  ? []
  : readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => line.replace(/\t.*/, '').split(' ').length);

function* batchesOf(sampler: IndexSampler, epoch: number, batchSize: number) {
  const cursor = sampler.epoch(epoch);
  for (let batch = cursor.take(batchSize); batch.length > 0; batch = cursor.take(batchSize)) yield batch;
}

describe.skipIf(missing)('the sentences of SST-2 (skipped where BATCHWISE_DATA_DIR has no sst2)', () => {
  const size = lengths.length;
  const reportOf = (sampler: IndexSampler, epoch = 0) =>
    paddingReport(batchesOf(sampler, epoch, 32), lengths);

  it('are padded by a plain shuffle as much as the hypergeometric law of the longest of 32 says', () => {
    // 216 · 32 E[longest of 32] + 8 E[longest of 8] of the 6,920 lengths without replacement, by exact binomials in Python.
    const expected = 274_135.162;
    const sampler = shuffled(size, { seed: 1 });
    const padded = Array.from({ length: 60 }, (_, epoch) => reportOf(sampler, epoch).paddedTokens);
    const mean = padded.reduce((sum, each) => sum + each, 0) / padded.length;
    const variance = padded.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (padded.length - 1);
    expect(reportOf(sampler).tokens).toBe(128_096);
    expect(Math.abs(mean - expected)).toBeLessThan(6 * Math.sqrt(variance / padded.length));
  });

  it('are padded least in one pool, to the token', () => {
    // The sum over sorted stretches of 32 of 32 times the longest, counted in Python; and with lengths up to eights.
    const whole = { seed: 1, group: { examples: 32 }, poolSize: size };
    expect(reportOf(bucketed(lengths, whole)).paddedTokens).toBe(128_936);
    const padding = { toMultipleOf: 8 };
    const eights = bucketed(lengths, { ...whole, padding });
    expect(paddingReport(batchesOf(eights, 1, 32), lengths, padding).paddedTokens).toBe(153_408);
  });

  it('waste less than a tenth of it in pools that keep the shuffle, and most of the gain at other batch sizes', () => {
    const sampler = bucketed(lengths, { seed: 1, group: { examples: 32 } });
    const [own, plain] = [reportOf(sampler).waste, reportOf(shuffled(size, { seed: 1 })).waste];
    expect(own).toBeLessThan(plain / 10);
    for (const batchSize of [8, 16, 48, 64])
      expect(paddingReport(batchesOf(sampler, 0, batchSize), lengths).waste).toBeLessThan(0.6 * plain);
  });

  it('can follow a curriculum by length and be bucketed at once', () => {
    const pacing = competence({ examples: 2 * size });
    const order = curriculum(shuffled(size, { seed: 1 }), { difficulty: lengths, pacing, seed: 2 });
    const sampler = bucketed(lengths, { seed: 3, group: { examples: 32 }, order });
    const [both, alone] = [reportOf(sampler), reportOf(order)];
    expect(both.tokens).toBe(alone.tokens);
    expect(both.tokens).toBeLessThan(0.8 * 128_096);
    expect(both.waste).toBeLessThan(alone.waste / 4);
  });
});

describeSampler(
  'bucketed over a curriculum',
  () => {
    const uneven = Array.from({ length: 60 }, (_, k) => 1 + ((k * k) % 23));
    const pacing = competence({ examples: 100 });
    const order = curriculum(shuffled(60, { seed: 1 }), { difficulty: uneven, pacing, seed: 2 });
    return bucketed(uneven, { seed: 3, group: { examples: 4 }, poolSize: 16, order });
  },
  { eachOnce: false },
);
