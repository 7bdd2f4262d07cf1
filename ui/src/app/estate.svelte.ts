/**
 * What the frame shows of the store on every screen, and the reads that are running now.
 * `version` counts up whenever the store may have changed, so that screens ask again.
 */
import { asFailure, call, stream } from "../host";
import type { Channel } from "../host/channel";
import type { FailureView } from "../wire/FailureView";
import type { SourceRow } from "../wire/SourceRow";
import type { Status } from "../wire/Status";
import type { SyncProgress } from "../wire/SyncProgress";
import type { SyncReport } from "../wire/SyncReport";
import { say } from "./strings";
import { toast, toastFailure } from "./toasts.svelte";

export interface Reading {
  source: string;
  kind: string | null;
  received: number;
  expected: number | null;
  pages: number;
  /** What the read waits for; nothing while it reads. */
  waiting: string | null;
  stopping: boolean;
}

let status = $state<Status | null>(null);
let failure = $state<FailureView | null>(null);
let sources = $state<SourceRow[] | null>(null);
let sourcesFailure = $state<FailureView | null>(null);
let readings = $state<Record<string, Reading>>({});
let version = $state(0);
let making = $state(false);

export const estate = {
  get status() {
    return status;
  },
  get failure() {
    return failure;
  },
  get sources() {
    return sources;
  },
  get sourcesFailure() {
    return sourcesFailure;
  },
  get readings() {
    return readings;
  },
  get reading() {
    return Object.values(readings);
  },
  get version() {
    return version;
  },
  /** The practice estate is being made. */
  get making() {
    return making;
  },
};

export async function refresh(): Promise<void> {
  try {
    status = await call("status");
    failure = null;
    version += 1;
  } catch (thrown) {
    failure = asFailure(thrown);
    return;
  }
  try {
    sources = await call("sources");
    sourcesFailure = null;
    // a read that was begun before the window was locked tells this page nothing: ask again
    const elsewhere = sources.some((row) => row.state === "reading" && !readings[row.name]);
    if (elsewhere) setTimeout(() => void refresh(), 2000);
  } catch (thrown) {
    sourcesFailure = asFailure(thrown);
  }
}

export async function unlock(keyFile: string, passphrase: string): Promise<void> {
  status = await call("store_unlock", { keyFile, passphrase });
  failure = null;
  await refresh();
}

export async function recover(recoveryKey: string, passphrase: string): Promise<void> {
  status = await call("store_recover", { recoveryKey, passphrase });
  failure = null;
  await refresh();
}

// live figures change in place, at most twice a second
const waiting = new Map<string, SyncProgress>();
let timer: ReturnType<typeof setTimeout> | null = null;
function flush(): void {
  timer = null;
  for (const [source, message] of waiting) {
    if (message.done) {
      const { [source]: _, ...rest } = readings;
      void _;
      readings = rest;
    } else {
      readings = {
        ...readings,
        [source]: { source, kind: message.kind, received: message.received, expected: message.expected, pages: message.pages, waiting: message.waiting, stopping: readings[source]?.stopping ?? false },
      };
    }
  }
  waiting.clear();
}
function hear(message: SyncProgress): void {
  waiting.set(message.source, message);
  timer ??= setTimeout(flush, 500);
}
function end(names: string[]): void {
  for (const name of names) waiting.delete(name);
  readings = Object.fromEntries(Object.entries(readings).filter(([name]) => !names.includes(name)));
}

/** Reads sources and gives back what that did; nothing where it could not begin. */
export const sync = (names: string[]) => read(names, (onProgress) => call("sync_start", { names, onProgress }));

/** Reads a source again and takes what it no longer shows as gone. */
export const acceptRemovals = (name: string) => read([name], (onProgress) => call("sync_accept", { name, onProgress }));

async function read(names: string[], begin: (onProgress: Channel<SyncProgress>) => Promise<SyncReport[]>): Promise<SyncReport[] | null> {
  for (const name of names) readings = { ...readings, [name]: { source: name, kind: null, received: 0, expected: null, pages: 0, waiting: null, stopping: false } };
  try {
    const reports = await begin(await stream(hear));
    const complete = reports.filter((report) => report.state === "complete").length;
    toast(say.synced(complete, reports.length));
    for (const { source, anew } of reports) if (anew) toast(say.begunAnew(source, anew));
    return reports;
  } catch (thrown) {
    toastFailure(thrown);
    return null;
  } finally {
    end(names);
    await refresh();
  }
}

export async function stop(name: string): Promise<void> {
  const now = readings[name];
  if (now) readings = { ...readings, [name]: { ...now, stopping: true } };
  try {
    await call("sync_stop", { name });
  } catch (thrown) {
    toastFailure(thrown);
  }
}
export async function stopAll(): Promise<void> {
  await Promise.all(Object.keys(readings).map(stop));
}

export async function openPractice(): Promise<boolean> {
  making = true;
  try {
    status = await call("demo", { onProgress: await stream(hear) });
    return true;
  } catch (thrown) {
    toastFailure(thrown);
    return false;
  } finally {
    making = false;
    end(Object.keys(readings));
    await refresh();
  }
}
