/**
 * What the door says in each state of keys and store: a title, the next steps, and what it asks for. The words
 * of the states are the program's (`state` of a FailureView).
 */
export interface Door {
  title: string;
  steps?: string[];
  /** The one field that helps; none where only trying again does. */
  asks?: "file" | "new-file" | "passphrase" | "recovery" | "recovery+passphrase";
}

const noKeychain = "Without a keychain, a key file takes its place: choose one, or make one and keep it away from the store.";
const fromBackup = "Close this window and put a backup in another place: `lastkey store restore BACKUP --store PATH`.";

export const doors: Record<string, Door> = {
  locked: { title: "Locked" },
  locked_passphrase: { title: "Locked", asks: "passphrase" },

  keychain_no_bus: { title: "There is no keychain here", asks: "new-file", steps: ["Start the window in a desktop session, and try again.", noKeychain] },
  keychain_no_service: { title: "There is no keychain here", asks: "new-file", steps: ["Start the keychain service of the desktop (such as GNOME Keyring or KWallet), and try again.", noKeychain] },
  keychain_no_keyring: { title: "The keychain has no keyring", asks: "new-file", steps: ["Log in to the desktop once, so that it makes its keyring, and try again.", noKeychain] },
  keychain_locked: { title: "The keychain is locked", asks: "file", steps: ["Unlock the keychain of the desktop, and try again.", "Or open the store with its key file, or with a file that holds its recovery key."] },
  keychain_refused: { title: "The keychain is locked", asks: "file", steps: ["Try again, and answer the prompt of the desktop.", "Or open the store with its key file, or with a file that holds its recovery key."] },
  keychain_odd: { title: "The keychain does not answer as it should", asks: "file", steps: ["Try again.", "Or open the store with its key file, or with a file that holds its recovery key."] },
  keychain_absent: { title: "The keychain does not hold this store's key", asks: "recovery", steps: ["Log in as the person who made the store, and try again.", "Or type the recovery key: the key goes back into the keychain."] },
  keychain_damaged: { title: "The keychain's entry is damaged", asks: "recovery", steps: ["Type the recovery key: the key goes back into the keychain."] },
  keychain_wrong: { title: "The keychain holds another key", asks: "recovery", steps: ["The entry was changed by something else. Type the recovery key: the right key goes back into the keychain."] },
  recovery_key_slip: { title: "The recovery key has a slip", asks: "recovery", steps: ["Compare it with what was written down, group by group."] },
  recovery_key_wrong: { title: "Not the recovery key of this store", asks: "recovery", steps: ["Take the one that was shown last: a newer one replaces those before it."] },

  passphrase_needed: { title: "This store has a passphrase", asks: "passphrase", steps: ["Type the passphrase that was chosen for this store.", "If it is lost: `lastkey store recover --recovery-key FILE --passphrase-file NEW`."] },
  passphrase_wrong: { title: "Not the passphrase of this store", asks: "passphrase", steps: ["Type it again. If it is lost: `lastkey store recover --recovery-key FILE --passphrase-file NEW`."] },

  key_file_needed: { title: "This store has a key file", asks: "file", steps: ["Choose the key file that the store was made with.", "Or choose a file that holds its recovery key."] },
  key_file_wrong: { title: "Not the key of this store", asks: "file", steps: ["Choose the key file that the store was made with.", "Or choose a file that holds its recovery key."] },
  key_file_loose: { title: "Others can read the key file", asks: "file", steps: ["Take the right to read it away from others: `chmod 600 FILE`.", "If others may have read it, change the keys after opening: `lastkey store rekey`."] },
  key_file_short: { title: "The key file is too short", asks: "file", steps: ["Choose another one, of 8 bytes or more."] },
  key_file_unreadable: { title: "The key file cannot be read", asks: "file", steps: ["Check the path and the medium that it is on.", "Or choose another file."] },

  keys_file_missing: { title: "The file of keys is gone", steps: ["It stands beside the store and ends in `.keys`. Put it back from a backup; nothing opens the store without it.", fromBackup] },
  keys_file_damaged: { title: "The file of keys is damaged", steps: ["It stands beside the store and ends in `.keys`. Put it back from a backup.", fromBackup] },
  sealed_file_damaged: { title: "The file of sealed secrets is damaged", steps: ["It stands beside the store and ends in `.sealed`. Put it back from a backup.", "Or move it away and give the secrets of the sources again."] },
  store_gone: { title: "The store is gone", steps: ["Its file of keys is still there, so something else removed it.", fromBackup] },
  store_damaged: { title: "The store is damaged", steps: ["Nothing was changed. Copy the damaged file away, if somebody is to look at it.", fromBackup] },
  store_wrong_key: { title: "The key does not open the store", asks: "file", steps: ["Choose the key file that the store was made with.", "If the key is right, the file is damaged. " + fromBackup] },
  store_not_encrypted: { title: "This file is no store", steps: ["Start the window with the path of a store: `lastkey --store PATH`."] },
  store_newer: { title: "A newer version made this store", steps: ["Open it with that version of Lastkey. Nothing was changed."] },
  store_network_share: { title: "The store is on a network share", steps: ["Keep it on a local disk: locks do not hold across machines."] },
  store_busy: { title: "Another program has the store", steps: ["Wait until it has finished, and try again."] },

  key: { title: "The store cannot be opened", asks: "file" },
  other: { title: "The store cannot be opened" },
};
