/**
 * The way from the window to the program, and the only folder that imports the host's API.
 *
 * Promises: every command of wire/commands.ts can be called, a refusal always arrives as a FailureView,
 * and a stream of progress ends with its command. Never decides anything.
 */
import { Channel, invoke } from "@tauri-apps/api/core";
import type { Commands } from "../wire/commands";
import type { FailureView } from "../wire/FailureView";

type Name = keyof Commands;
type Args<K extends Name> = Parameters<Commands[K]>;
type Answer<K extends Name> = Awaited<ReturnType<Commands[K]>>;

/** What stands behind the window: the program, or the recorded estate while developing. */
export interface Host {
  call(name: string, args: Record<string, unknown>): Promise<unknown>;
  channel<T>(receive: (message: T) => void): Channel<T>;
}

const program: Host = {
  call: (name, args) => invoke(name, args),
  channel: <T>(receive: (message: T) => void) => {
    const channel = new Channel<T>();
    channel.onmessage = receive;
    return channel;
  },
};

async function findHost(): Promise<Host> {
  if ("__TAURI_INTERNALS__" in window) return program;
  if (import.meta.env.DEV) return (await import("./bridge")).bridge;
  return program;
}
const host = findHost();

/** Arguments travel in camel case. */
function wireNames(args: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(args).map(([key, value]) => [key.replace(/_([a-z])/g, (_, c: string) => c.toUpperCase()), value]),
  );
}

function isFailure(thrown: unknown): thrown is FailureView {
  return typeof thrown === "object" && thrown !== null && "kind" in thrown && "message" in thrown;
}

/** Whatever was thrown, as a sentence with its hint. */
export function asFailure(thrown: unknown): FailureView {
  if (isFailure(thrown)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: "not_possible", message, hint: null };
}

/** The answer of a command; rejects with a FailureView. */
export async function call<K extends Name>(name: K, ...args: Args<K>): Promise<Answer<K>> {
  try {
    return (await (await host).call(name, wireNames((args[0] ?? {}) as Record<string, unknown>))) as Answer<K>;
  } catch (thrown) {
    throw asFailure(thrown);
  }
}

/** A stream that hands each message to `receive`. */
export async function stream<T>(receive: (message: T) => void): Promise<Channel<T>> {
  return (await host).channel(receive);
}
