/** The type of a stream of progress from the program to the window. */
export type { Channel } from "@tauri-apps/api/core";
