// What only Node.js can do: keep a file that is received.

import { open, rename, rm } from "node:fs/promises";

import type { Download } from "./sender.js";

/** Write a file piece by piece beside its name, and give it the name when it is whole; the answer is its size. */
export async function save(download: Download, path: string): Promise<number> {
  const part = `${path}.part`;
  try {
    const file = await open(part, "w");
    let size = 0;
    try {
      for await (const piece of download.body) {
        await file.writeFile(piece);
        size += piece.byteLength;
      }
    } finally {
      await file.close();
    }
    await rename(part, path);
    return size;
  } catch (failure) {
    await rm(part, { force: true });
    throw failure;
  }
}
