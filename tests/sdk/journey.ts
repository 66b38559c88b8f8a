// What a user of the TypeScript client does, against the service whose address is given; prints what came of it as JSON.

import { readFile, readdir } from "node:fs/promises";
import process from "node:process";

import { NoAnswer, NotFound, Opora, Problem, RateLimited, waitFor, type models } from "./index.js";
import { save } from "./node.js";

const [baseUrl, email, password, folder] = process.argv.slice(2) as [string, string, string, string];
const scopes = ["profiles:read", "profiles:write", "exports:read", "exports:write", "generate:write"];

async function thrown(call: Promise<unknown>): Promise<unknown> {
  return call.then(() => undefined, (failure: unknown) => failure);
}

const anybody = new Opora({ baseUrl });
const alive: models.Alive = await anybody.health.get();
const tokens = await anybody.auth.login({ email, password });
const admin = anybody.under({ token: async () => tokens.access_token });
const issued = await admin.apiKeys.create({ label: "partner", scopes, environment: "test" });
const opora = admin.under({ apiKey: issued.key });

const made = await opora.profiles.generate({ count: 100, persist: true });
const pages: number[] = [];
for await (const page of opora.profiles.list({ limit: 30, locale: "ru_RU" }).pages()) pages.push(page.results.length);
const listed = new Set<number | null | undefined>();
for await (const person of opora.profiles.list({ locale: "ru_RU", limit: 45 })) listed.add(person.id);
const ids = made.profiles.flatMap((one) => (one.id ? [one.id] : []));

const queued = await opora.exports.create({ profile_ids: ids, format: "pdf" });
const over = (one: models.ShownExport): boolean => ["completed", "failed"].includes(one.status);
const done = await waitFor(() => opora.exports.get(queued.export_id), over, { everyMs: 100 });
const size = await save(await opora.exports.download(queued.export_id), `${folder}/people.pdf`);
const file = await readFile(`${folder}/people.pdf`);

const missing = await thrown(opora.profiles.get(999_999_999));
const wrong = await thrown(opora.profiles.generate({ count: -1 }));
const [first, second] = [
  await opora.profiles.generate({ count: 3, persist: true }, { idempotencyKey: "once" }),
  await opora.profiles.generate({ count: 3, persist: true }, { idempotencyKey: "once" }),
];

const one = await admin.apiKeys.create({ label: "one a minute", scopes, rate_limit_per_min: 1 });
const waits: number[] = [];
async function insteadOfSleeping(ms: number): Promise<void> {
  waits.push(ms);
  await admin.apiKeys.update(one.id, { rate_limit_per_min: 100 });
  await new Promise((woken) => setTimeout(woken, 1000)); // the promise of when it holds
}
const hasty = new Opora({ baseUrl, apiKey: one.key, sleep: insteadOfSleeping });
await hasty.profiles.list().first();
const after = await hasty.profiles.list().first();

const other = await admin.apiKeys.create({ label: "one more", scopes, rate_limit_per_min: 1 });
const impatient = new Opora({ baseUrl, apiKey: other.key, retrying: { waitLongestMs: 500 } });
await impatient.profiles.list().first();
const limited = await thrown(impatient.profiles.list().first());

const asked = { model: "opora-local", messages: [{ role: "user" as const, content: "Say hello" }] };
let text = "";
let last = "";
for await (const event of opora.chat.streamCreateCompletion({ ...asked, stream: true })) {
  last = event.data;
  if (last !== "[DONE]") text += JSON.parse(last).choices[0]?.delta?.content ?? "";
}
const paper = new File([file], "paper.pdf", { type: "application/pdf" });
const sent = await admin.dbo.uploadDocument({ file: paper, description: "Договор аренды", category: "Договоры" });
const nobody = new Opora({ baseUrl: "http://127.0.0.1:9", retrying: { attempts: 2, waitFirstMs: 1 } });
const unheard = await thrown(nobody.health.get());
const aborted = await thrown(opora.profiles.list().first().then(() => opora.users.getMe({ signal: AbortSignal.abort() })));

console.log(JSON.stringify({
  alive: alive.status,
  pages,
  listed: ids.every((id) => listed.has(id)) && listed.size,
  export: [done.status, done.progress, size === file.byteLength, file.subarray(0, 5).toString(), await readdir(folder)],
  missing: missing instanceof NotFound && [missing.status, missing.code, missing.traceId !== ""],
  wrong: wrong instanceof Problem && Object.keys(wrong.errors),
  same: JSON.stringify(first) === JSON.stringify(second),
  waits: [waits.length, (waits[0] ?? 0) >= 1000 && (waits[0] ?? 0) <= 60_000, after.count],
  limited: limited instanceof RateLimited && [limited.code, (limited.retryAfterMs ?? 0) >= 1000],
  chat: [text.length > 0, last],
  sent: (await admin.dbo.getDocument(sent.id)).description,
  unheard: unheard instanceof NoAnswer,
  aborted: (aborted as Error).name,
}));
