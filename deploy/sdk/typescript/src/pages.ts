// Lists that come in pages: iterate over the records, or over the pages themselves.

/** A page: `count` is of the whole list, exact if `count_exact` says so. */
export interface Page<T> {
  count: number;
  count_exact: boolean;
  next: string | null;
  previous: string | null;
  results: T[];
}

/** A list that is asked for as it is read. */
export class Paging<T> implements AsyncIterable<T> {
  private readonly fetchPage: (address?: string) => Promise<Page<T>>;

  constructor(fetchPage: (address?: string) => Promise<Page<T>>) {
    this.fetchPage = fetchPage;
  }

  /** Ask for the first page alone. */
  first(): Promise<Page<T>> {
    return this.fetchPage();
  }

  /** Ask for page after page. */
  async *pages(): AsyncGenerator<Page<T>> {
    let page = await this.fetchPage();
    yield page;
    while (page.next) {
      page = await this.fetchPage(page.next);
      yield page;
    }
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for await (const page of this.pages()) yield* page.results;
  }
}
