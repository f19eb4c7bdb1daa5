/** A binary heap: `pop` gives the least element by the comparison. */
export class PriorityQueue<T> {
  readonly #heap: T[] = [];
  readonly #isLess: (a: T, b: T) => boolean;

  constructor(isLess: (a: T, b: T) => boolean) {
    this.#isLess = isLess;
  }

  get size(): number {
    return this.#heap.length;
  }

  peek(): T | undefined {
    return this.#heap[0];
  }

  push(element: T): void {
    let index = this.#heap.push(element) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = this.#heap[parent] as T;
      if (!this.#isLess(element, above)) break;
      this.#heap[index] = above;
      index = parent;
    }
    this.#heap[index] = element;
  }

  pop(): T | undefined {
    const heap = this.#heap;
    const least = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return least;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.#isLess(heap[child + 1] as T, heap[child] as T)) child++;
      const below = heap[child] as T;
      if (!this.#isLess(below, last)) break;
      heap[index] = below;
      index = child;
    }
    heap[index] = last;
    return least;
  }
}
