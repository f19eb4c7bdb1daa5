/** The instructions of a Dockerfile, comments left out and continued lines joined. */
export interface Instruction {
  readonly name: string;
  readonly text: string;
}

export function parseDockerfile(text: string): readonly Instruction[] {
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const space = line.indexOf(' ');
      return { name: line.slice(0, space), text: line.slice(space + 1).trim() };
    });
}

/** The program and arguments of an instruction in exec form, such as CMD ["node", "src/main.ts"]. */
export function execForm(text: string): readonly string[] {
  const list: unknown = JSON.parse(text.slice(text.indexOf('[')));
  if (!Array.isArray(list) || !list.every((part) => typeof part === 'string'))
    throw new Error(`not in exec form: ${text}`);
  return list;
}

/** The instructions of one name. */
export function textsOf(instructions: readonly Instruction[], name: string): readonly string[] {
  return instructions.filter((instruction) => instruction.name === name).map(({ text }) => text);
}

/** The variables of all ENV instructions, each of which sets one. */
export function environmentOf(instructions: readonly Instruction[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    textsOf(instructions, 'ENV').map((text) => {
      const equals = text.indexOf('=');
      return [text.slice(0, equals), text.slice(equals + 1).replace(/^"(.*)"$/, '$1')];
    }),
  );
}
