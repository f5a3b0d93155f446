import type { Desk } from '../../state/console/desk.js';

/** Ends the session on the server, then shows the login; drafts stay on this device. */
export async function signOut(desk: Desk, close: () => Promise<unknown>): Promise<void> {
  desk.stop();
  await close().catch(() => undefined);
  location.reload();
}
