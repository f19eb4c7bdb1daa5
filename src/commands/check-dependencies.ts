/**
 * npm run check:dependencies — holds every import of src/ and migrations/ against .dependency-layers.cjs.
 * Finding no files is a failure too: a cruise that sees nothing finds no violation either.
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { cruise, type ICruiseResult, type ICruiseOptions, type IConfiguration } from 'dependency-cruiser';
import extractTsConfig from 'dependency-cruiser/config-utl/extract-ts-config';

export interface DependencyReport {
  readonly modules: number;
  readonly dependencies: number;
  /** One sentence per violation; empty when the tree is in order. */
  readonly problems: readonly string[];
}

/** Cruises `folders` under `root` by the rules of `root`'s .dependency-cruiser.cjs. Throws when those cannot be read. */
export async function checkDependencies(root: string, folders: readonly string[]): Promise<DependencyReport> {
  const require = createRequire(import.meta.url);
  const configuration = require(resolve(root, '.dependency-cruiser.cjs')) as IConfiguration;
  const options: ICruiseOptions = {
    ...configuration.options,
    baseDir: root,
    ruleSet: { forbidden: configuration.forbidden ?? [] },
    validate: true,
  };
  const { output } = await cruise(
    [...folders],
    options,
    {},
    { tsConfig: extractTsConfig(resolve(root, 'tsconfig.json')) },
  );
  if (typeof output === 'string') throw new Error('dependency-cruiser gave text where its result was expected');
  const why = new Map((configuration.forbidden ?? []).map((rule) => [rule.name, rule.comment]));
  return reportOf(output, why);
}

function reportOf(
  { summary, modules }: ICruiseResult,
  why: ReadonlyMap<string | undefined, string | undefined>,
): DependencyReport {
  const own = modules.filter((module) => /^(src|migrations)\//.test(module.source)).length;
  const problems = summary.violations.map(
    ({ from, to, rule }) => `${from} → ${to}: ${why.get(rule.name) ?? rule.name}`,
  );
  if (own === 0) problems.unshift('0 modules were cruised, so nothing was checked; is typescript installed?');
  return { modules: own, dependencies: summary.totalDependenciesCruised ?? 0, problems };
}

if (import.meta.main) {
  const report = await checkDependencies(resolve(import.meta.dirname, '../..'), ['src', 'migrations']);
  for (const problem of report.problems) console.error(problem);
  console.log(
    `${report.modules} modules and ${report.dependencies} dependencies cruised, ${report.problems.length} problems.`,
  );
  if (report.problems.length > 0) process.exitCode = 1;
}
