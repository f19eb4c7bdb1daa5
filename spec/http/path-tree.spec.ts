import express from 'express';
import * as fc from 'fast-check';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { PathTree } from '../../src/http/path-tree.ts';

const templates = ['/a', '/a/{x}', '/a/b', '/a/{x}/c', '/a/b/{y}', '/{z}/b/c', '/a/{x}/{y}', '/'];

function treeOf(paths: readonly string[]): PathTree<string> {
  const tree = new PathTree<string>();
  for (const path of paths) tree.add('GET', path, path);
  return tree;
}

describe('PathTree', () => {
  it('finds literal segments before parameters, and goes back when they lead nowhere', () => {
    const tree = treeOf(templates);
    expect(tree.find('GET', '/a/b')).toEqual({ value: '/a/b', parameters: [] });
    expect(tree.find('GET', '/a/q')).toEqual({ value: '/a/{x}', parameters: ['q'] });
    expect(tree.find('GET', '/a/b/c')).toEqual({ value: '/a/b/{y}', parameters: ['c'] });
    expect(tree.find('GET', '/q/b/c')).toEqual({ value: '/{z}/b/c', parameters: ['q'] });
    expect(tree.find('GET', '/')).toEqual({ value: '/', parameters: [] });
    expect(tree.find('GET', '/q')).toBeUndefined();
    expect(tree.find('GET', '/a//c')).toBeUndefined();
    expect(tree.find('GET', 'http://a/')).toBeUndefined();
  });

  it('decodes each parameter, allows one slash at the end, and refuses malformed escapes', () => {
    const tree = treeOf(templates);
    expect(tree.find('GET', '/a/x%2Fy%20/%C3%A9/')?.parameters).toEqual(['x/y ', 'é']);
    expect(tree.find('GET', '/a/x/y//')).toBeUndefined();
    expect(() => tree.find('GET', '/a/%E9')).toThrow('malformed percent escape');
  });

  it('knows the methods of all templates that match', () => {
    const tree = treeOf(['/a/{x}']);
    tree.add('PUT', '/a/b', 'put');
    tree.add('DELETE', '/a/{y}', 'delete');
    expect(tree.methodsAt('/a/b')).toEqual(['DELETE', 'GET', 'PUT']);
    expect(tree.methodsAt('/a/c/')).toEqual(['DELETE', 'GET']);
    expect(tree.methodsAt('/c')).toEqual([]);
    expect(() => tree.add('GET', '/a/{other}', 'again')).toThrow('Two endpoints answer GET /a/{other}');
  });

  it('matches exactly what express matches', async () => {
    const segment = fc.constantFrom(
      'a',
      'b',
      'c',
      'q',
      '',
      '%41',
      'a%2Fb',
      '%C3%A9',
      'a+b',
      '..',
      ':x',
      '*',
      '(a)',
      'A',
    );
    const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
    // Express takes the first that matches, so it gets the templates in the order in which the tree prefers them.
    const ordered = ['/', '/a', '/a/b', '/a/b/{y}', '/a/{x}', '/a/{x}/c', '/a/{x}/{y}', '/{z}/b/c'];
    const tree = treeOf(ordered);
    const app = express().enable('case sensitive routing');
    let matched: { value: string; parameters: unknown[] } | undefined;
    for (const template of ordered)
      app.get(template.replaceAll(/\{(\w+)\}/g, ':$1'), (request, _response, next) => {
        matched ??= { value: template, parameters: Object.values(request.params) };
        next();
      });
    let done: () => void = () => undefined;
    app.use(() => done());
    await fc.assert(
      fc.asyncProperty(path, async (url) => {
        matched = undefined;
        const request = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url });
        await new Promise<void>((resolve) => {
          done = resolve;
          app(request, new ServerResponse(request));
        });
        expect(tree.find('GET', url)).toEqual(matched);
      }),
      { numRuns: 1_000 },
    );
  });
});
