// Sends calls by `fetch` and reads their answers.

import { Paging, type Page } from "./pages.js";
import { msUntil, NoAnswer, problem } from "./problems.js";

/** How often a call is sent in all, and how long is waited between; only one that is safe to repeat is repeated. */
export interface Retrying {
  attempts: number;
  waitFirstMs: number;
  /** A `Retry-After` that is longer is left to the caller. */
  waitLongestMs: number;
}

/** Which service is called, under which credential and bounds. */
export interface Settings {
  baseUrl: string;
  apiKey?: string;
  /** An access token, or what gives one before every call. */
  token?: string | (() => string | Promise<string>);
  /** How long an answer may take to begin, and a short one to come whole. */
  timeoutMs?: number;
  retrying?: Partial<Retrying>;
  fetch?: typeof globalThis.fetch;
  sleep?: (ms: number) => Promise<unknown>;
}

export interface Options {
  signal?: AbortSignal;
  timeoutMs?: number;
}

export interface KeyedOptions extends Options {
  /** Makes a repeated call give the first answer again; made for every call that does not name one. */
  idempotencyKey?: string;
}

/** A request that is not sent yet. */
export interface Call {
  method: string;
  path: string;
  query?: object;
  body?: object | undefined;
  kind?: "form" | "multipart";
  keyed?: boolean;
  public?: boolean;
  accept?: string;
}

/** A file on its way: read `body` piece by piece, or all of it by `blob()`. */
export interface Download {
  mediaType: string;
  sizeBytes: number | undefined;
  etag: string | undefined;
  body: ReadableStream<Uint8Array>;
  blob(): Promise<Blob>;
}

/** One event of a stream. */
export interface ServerEvent {
  name: string;
  data: string;
  id: string;
}

const SAFE_TO_REPEAT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]);
const ASKS_TO_RETURN = new Set([429, 503]);
const RETRYING: Retrying = { attempts: 4, waitFirstMs: 500, waitLongestMs: 60_000 };

/** Write a value as one segment of a path. */
export function segment(value: unknown): string {
  return encodeURIComponent(String(value));
}

/** One service, and under which credential and bounds it is called. */
export class Sender {
  private readonly settings: Settings;

  constructor(settings: Settings) {
    this.settings = settings;
  }

  /** Give another under other settings; a new credential takes the place of both old ones. */
  under(changed: Partial<Settings>): Sender {
    const { apiKey, token, ...rest } = this.settings;
    const kept = "apiKey" in changed || "token" in changed ? rest : { ...rest, apiKey, token };
    return new Sender({ ...kept, ...changed } as Settings);
  }

  async none(call: Call, options: KeyedOptions): Promise<void> {
    await this.text(call, options);
  }

  text(call: Call, options: KeyedOptions): Promise<string> {
    return this.sent(call, options, (response) => response.text());
  }

  async json<T>(call: Call, options: KeyedOptions): Promise<T> {
    return JSON.parse(await this.text(call, options)) as T;
  }

  page<T>(call: Call, options: Options): Paging<T> {
    return new Paging((address) => this.json<Page<T>>(address ? { method: "GET", path: address } : call, options));
  }

  file(call: Call, options: Options): Promise<Download> {
    return this.sent({ ...call, accept: "*/*" }, options, async (response) => ({
      mediaType: response.headers.get("content-type") ?? "",
      sizeBytes: Number(response.headers.get("content-length") ?? NaN) || undefined,
      etag: response.headers.get("etag") ?? undefined,
      body: response.body ?? new Blob().stream(),
      blob: () => response.blob(),
    }));
  }

  /** Give the events of a stream as they come; comments, which keep a connection alive, are left out. */
  async *events(call: Call, options: KeyedOptions): AsyncGenerator<ServerEvent> {
    const body = await this.sent({ ...call, accept: "text/event-stream" }, options, async (response) => response.body);
    let event: ServerEvent = { name: "", data: "", id: "" };
    for await (const line of lines(body ?? new Blob().stream())) {
      const [field, value] = parted(line);
      if (field === "data") event.data += `${value}\n`;
      else if (field === "event") event.name = value;
      else if (field === "id") event.id = value;
      if (line === "") {
        if (event.data) yield { name: event.name || "message", data: event.data.slice(0, -1), id: event.id };
        event = { name: "", data: "", id: event.id };
      }
    }
  }

  /** Send a call as often as may be, and give what is read of its success. */
  private async sent<T>(call: Call, options: KeyedOptions, read: (response: Response) => Promise<T>): Promise<T> {
    const retrying = { ...RETRYING, ...this.settings.retrying };
    const request = this.request(call, options);
    const repeatable = call.keyed || SAFE_TO_REPEAT.has(call.method);
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.once(call, request, options, read);
      if ("value" in outcome) return outcome.value;
      const wait = repeatable && attempt < retrying.attempts ? waitMs(retrying, attempt, outcome.response) : undefined;
      if (wait === undefined || options.signal?.aborted) throw outcome.failure;
      await (this.settings.sleep ?? ((ms) => new Promise((done) => setTimeout(done, ms))))(wait);
    }
  }

  private async once<T>(
    call: Call, request: RequestInit, options: Options, read: (response: Response) => Promise<T>,
  ): Promise<{ value: T } | { failure: Error; response?: Response }> {
    const bound = new AbortController();
    const timer = setTimeout(() => bound.abort(), options.timeoutMs ?? this.settings.timeoutMs ?? 30_000);
    const signal = options.signal ? AbortSignal.any([bound.signal, options.signal]) : bound.signal;
    try {
      const headers = { ...request.headers, ...(call.public ? {} : await this.credential()) };
      const send = this.settings.fetch ?? globalThis.fetch;
      const response = await send(this.address(call), { ...request, headers, signal });
      if (response.ok) return { value: await read(response) };
      return { failure: problem(response.status, await response.text(), response.headers), response };
    } catch (cause) {
      if (options.signal?.aborted) return { failure: cause as Error };
      return { failure: new NoAnswer(`${call.method} ${call.path}: ${String(cause)}`, { cause }) };
    } finally {
      clearTimeout(timer);
    }
  }

  private async credential(): Promise<Record<string, string>> {
    const { apiKey, token } = this.settings;
    if (token !== undefined) return { Authorization: `Bearer ${typeof token === "string" ? token : await token()}` };
    return apiKey === undefined ? {} : { "X-API-Key": apiKey };
  }

  private address(call: Call): string {
    const url = new URL(this.settings.baseUrl.replace(/\/$/, "") + call.path);
    for (const [name, value] of filled(call.query ?? {})) url.searchParams.append(name, value as string);
    return url.href;
  }

  private request(call: Call, options: KeyedOptions): RequestInit {
    const headers: Record<string, string> = {
      Accept: call.accept ?? "application/json, application/problem+json;q=0.9, */*;q=0.5",
    };
    if (call.keyed) headers["Idempotency-Key"] = options.idempotencyKey ?? crypto.randomUUID();
    const request: RequestInit = { method: call.method, headers, redirect: "manual" };
    if (call.body === undefined) return request;
    if (call.kind === "form") return { ...request, body: new URLSearchParams(filled(call.body) as [string, string][]) };
    if (call.kind === "multipart") {
      const form = new FormData();
      for (const [name, value] of filled(call.body)) form.append(name, value);
      return { ...request, body: form };
    }
    headers["Content-Type"] = "application/json";
    return { ...request, body: JSON.stringify(call.body) };
  }
}

/** Give the fields that were filled in, one by one, as they stand in an address or a form. */
function filled(fields: object): [string, string | Blob][] {
  return Object.entries(fields)
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one): [string, unknown] => [name, one]))
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => [name, value instanceof Blob ? value : String(value)]);
}

function waitMs(retrying: Retrying, attempt: number, response: Response | undefined): number | undefined {
  if (response && !ASKS_TO_RETURN.has(response.status)) return undefined;
  const asked = msUntil(response?.headers.get("retry-after") ?? null);
  if (asked !== undefined) return asked <= retrying.waitLongestMs ? asked : undefined;
  const longest = Math.min(retrying.waitLongestMs, retrying.waitFirstMs * 2 ** (attempt - 1));
  return longest * (0.5 + Math.random() / 2);
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      rest += decoder.decode(value, { stream: true });
      const whole = rest.split(/\r?\n/);
      rest = whole.pop() ?? "";
      yield* whole;
    }
  } finally {
    await reader.cancel();
  }
}

function parted(line: string): [string, string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
