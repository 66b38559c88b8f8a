// How a call can end badly: a problem (RFC 9457) by its status and `code`, or no answer.

/** Anything that this client throws of a call. */
export class OporaError extends Error {}

/** The service could not be reached, or the connection broke or was too slow. */
export class NoAnswer extends OporaError {}

/** A refusal: branch on `code`, show `detail`, quote `traceId` to whoever runs the service. */
export class Problem extends OporaError {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly type: string;
  readonly traceId: string;
  /** Every field at fault, by dotted path. */
  readonly errors: Record<string, string[]>;
  /** The document as it came, with the facts of its kind. */
  readonly document: Record<string, unknown>;
  readonly headers: Headers;

  constructor(status: number, document: Record<string, unknown>, headers: Headers) {
    const code = String(document["code"] ?? "unknown");
    const detail = String(document["detail"] ?? document["title"] ?? "");
    super(`${status} ${code}: ${detail}`);
    this.name = new.target.name;
    this.status = status;
    this.code = code;
    this.title = String(document["title"] ?? "");
    this.detail = detail;
    this.type = String(document["type"] ?? "about:blank");
    this.traceId = String(document["trace_id"] ?? "");
    this.errors = (document["errors"] ?? {}) as Record<string, string[]>;
    this.document = document;
    this.headers = headers;
  }

  /** The milliseconds after which the service asks to be called again. */
  get retryAfterMs(): number | undefined {
    return msUntil(this.headers.get("retry-after"));
  }
}

export class BadRequest extends Problem {}
export class Unauthenticated extends Problem {}
export class PaymentRequired extends Problem {}
export class PermissionDenied extends Problem {}
export class NotFound extends Problem {}
export class Conflict extends Problem {}
export class Gone extends Problem {}
export class PreconditionFailed extends Problem {}
/** Fields are at fault; `errors` names every one of them. */
export class Invalid extends Problem {}
export class RateLimited extends Problem {}
export class Unavailable extends Problem {}
/** Another 5xx: the service failed. */
export class Failed extends Problem {}

const BY_STATUS: Record<number, typeof Problem> = {
  400: BadRequest, 401: Unauthenticated, 402: PaymentRequired, 403: PermissionDenied, 404: NotFound, 409: Conflict,
  410: Gone, 412: PreconditionFailed, 422: Invalid, 429: RateLimited, 503: Unavailable,
};

/** Read a refusal: a problem document, or one in the words of OAuth 2.0 or of OpenAI's API. */
export function problem(status: number, content: string, headers: Headers): Problem {
  let document: Record<string, unknown> = {};
  try {
    const read: unknown = JSON.parse(content);
    if (typeof read === "object" && read !== null) document = read as Record<string, unknown>;
  } catch {
    // a refusal of something between here and the service
  }
  const refusal = document["error"];
  if (typeof refusal === "object" && refusal !== null) {
    const told = refusal as Record<string, unknown>;
    document = { ...told, detail: told["message"], type: told["doc_url"] };
  } else if (typeof refusal === "string") {
    document = { ...document, code: refusal, detail: document["error_description"] };
  }
  const Kind = BY_STATUS[status] ?? (status >= 500 ? Failed : Problem);
  return new Kind(status, document, headers);
}

/** Read a Retry-After, which is seconds or a date. */
export function msUntil(retryAfter: string | null): number | undefined {
  if (!retryAfter) return undefined;
  if (/^\d+$/.test(retryAfter.trim())) return Number(retryAfter) * 1000;
  const when = Date.parse(retryAfter);
  return Number.isNaN(when) ? undefined : Math.max(0, when - Date.now());
}
