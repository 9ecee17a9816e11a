/**
 * Tells a container from a machine, as MSAL Python 1.38 does.
 *
 * MSAL Python listens on 0.0.0.0 in a container, so that a published port reaches it. This library never does: every
 * host of the container's network could then send answers. In a container no browser is looked for, and the user gets
 * the address to open; what forwards ports, as an editor's remote session does, reaches 127.0.0.1.
 *
 * @module
 */

/** What tells. */
export interface ContainerMarks {
  /** Whether there is `/.dockerenv` or `/run/.containerenv`. */
  readonly marked: boolean;
  /** The text of `/proc/1/cgroup`; absent where it cannot be read. */
  readonly cgroup?: string | undefined;
}

/** A control group that a container's runtime made; a line is `hierarchy:controllers:path`. */
const RUNTIME =
  /\/(?:docker|kubepods|containerd|crio|cri-containerd|libpod|lxc|ecs|garden|buildkit)(?:[-./:]|$)/m;

/**
 * Tells whether this is a container.
 *
 * @param marks What was found of a container.
 */
export function isContainer({ marked, cgroup = "" }: ContainerMarks): boolean {
  return marked || RUNTIME.test(cgroup);
}
