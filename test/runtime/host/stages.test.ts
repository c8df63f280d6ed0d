/** The stages of a compile: they add up to the whole, whatever went on beside them. */
import { expect, test } from 'vitest';
import { stagesOf } from '../../../runtime/host/stages.ts';

const stage = (name: string, ms: number) => ({ name, ms });

test('what no stage explains was spent on recording; stages of one name are one', () => {
  expect(stagesOf(100, [stage('passes', 10), stage('kernels', 20), stage('kernels', 5), stage('pipelines', 40)])).toEqual([
    stage('record', 25),
    stage('passes', 10),
    stage('kernels', 25),
    stage('pipelines', 40),
  ]);
  expect(stagesOf(7, [])).toEqual([stage('record', 7)]);
});

test('pipelines that were compiled beside other stages count no more than is left, which may have been recording', () => {
  const twice = [stage('passes', 30), stage('pipelines', 60), stage('passes', 30), stage('pipelines', 60)];
  expect(stagesOf(100, twice)).toEqual([stage('passes', 60), stage('pipelines', 40)]);
});
