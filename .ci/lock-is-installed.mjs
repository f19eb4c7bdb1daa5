// Exit code 0 when node_modules holds exactly the versions that package-lock.json names. Optional packages may be absent:
// those of other platforms are. Plain JavaScript, because it runs before anything is installed, on whatever Node there is.
import { readFileSync } from 'node:fs';

const packagesOf = (file) => JSON.parse(readFileSync(file, 'utf8')).packages;

let installed;
try {
  installed = packagesOf('node_modules/.package-lock.json');
} catch {
  process.exit(1);
}
const wanted = packagesOf('package-lock.json');
const stale = Object.entries(wanted).some(([path, { version, integrity, optional }]) => {
  if (path === '') return false;
  const found = installed[path];
  if (found === undefined) return optional !== true;
  return found.version !== version || found.integrity !== integrity;
});
process.exit(stale ? 1 : 0);
