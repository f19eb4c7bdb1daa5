/** A browser's part in an HTML form: what a page offers is filled in and posted as it stands there. */
/** Keeps the cookies of one site. */
export class FormBrowser {
  readonly #origin: string;
  #cookie = '';

  constructor(origin: string) {
    this.#origin = origin;
  }

  async open(url: string): Promise<string> {
    const response = await fetch(url, { headers: { cookie: this.#cookie, accept: 'text/html' } });
    if (response.status !== 200) throw new Error(`${url} answers ${response.status}`);
    return response.text();
  }

  /** Fills in the form with that value of `action`, posts it, and follows to the page that comes of it. */
  async submit(page: string, action: string, typed: Readonly<Record<string, string>>): Promise<string> {
    const form = [...page.matchAll(/<form method="post" action="([^"]+)">(.*?)<\/form>/gs)].find(([, , inside]) =>
      inside?.includes(`name="action" value="${action}"`),
    );
    if (form === undefined) throw new Error(`the page has no form to ${action}`);
    const [, target = '', inside = ''] = form;
    const fields = new URLSearchParams();
    for (const [tag] of inside.matchAll(/<input[^>]*>/g)) {
      const name = attribute(tag, 'name');
      if (attribute(tag, 'type') !== 'checkbox') fields.set(name, attribute(tag, 'value'));
    }
    for (const [name, value] of Object.entries(typed)) {
      if (!inside.includes(` name="${name}"`)) throw new Error(`the form to ${action} has no field ${name}`);
      fields.set(name, value);
    }
    const response = await fetch(new URL(target, this.#origin), {
      method: 'POST',
      headers: { cookie: this.#cookie, origin: this.#origin, 'sec-fetch-site': 'same-origin' },
      body: fields,
      redirect: 'manual',
    });
    this.#cookie = response.headers.get('set-cookie')?.split(';')[0] ?? this.#cookie;
    const { status } = response;
    if (status !== 303) return response.text();
    return this.open(new URL(response.headers.get('location') ?? '', this.#origin).href);
  }
}

const attribute = (tag: string, name: string): string => new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1] ?? '';
