/** Which programs open a browser on which machine, and what a container is. */
import { assert, assertEquals } from "@std/assert";
import { browserCommands } from "../src/host/browser_command.ts";
import { isContainer } from "../src/host/container.ts";
import { test } from "./support/suite.ts";

const URL_TEXT = "https://login.example/authorize?a=1&b=$(id)%20;c|d#e";

function programs(platform: string, variables: Record<string, string> = {}, container = false): string[] {
  const commands = browserCommands(URL_TEXT, { platform, variable: (name) => variables[name], container });
  for (const command of commands) {
    // The address is the last argument, whole and as it is.
    assertEquals(command.at(-1), URL_TEXT);
    assert(command.slice(1, -1).every((word) => word === "url.dll,FileProtocolHandler"), command.join(" "));
  }
  return commands.map(([program]) => program);
}

test("each system has its own way to open a browser", () => {
  assertEquals(programs("darwin"), ["/usr/bin/open"]);
  assertEquals(programs("win32"), ["C:\\Windows\\System32\\rundll32.exe"]);
  assertEquals(programs("win32", { SystemRoot: "D:\\Win" }), ["D:\\Win\\System32\\rundll32.exe"]);
  assertEquals(programs("linux", { DISPLAY: ":0" }), ["xdg-open"]);
  assertEquals(programs("linux", { WAYLAND_DISPLAY: "wayland-0" }), ["xdg-open"]);
  assertEquals(programs("freebsd", { DISPLAY: ":0" }), ["xdg-open"]);
  const windows = ["wslview", "/mnt/c/Windows/System32/rundll32.exe"];
  assertEquals(programs("linux", { WSL_DISTRO_NAME: "Debian" }), windows);
  assertEquals(programs("linux", { WSL_DISTRO_NAME: "Debian", DISPLAY: ":0" }), [...windows, "xdg-open"]);
});

test("without a screen there is no browser", () => {
  assertEquals(programs("linux"), []);
  assertEquals(programs("linux", { DISPLAY: "" }), []);
});

test("BROWSER comes first where it is a plain command", () => {
  for (const BROWSER of ["firefox", "/usr/bin/microsoft-edge", "./my_browser.sh", "google-chrome-stable"]) {
    assertEquals(programs("linux", { BROWSER, DISPLAY: ":0" }), [BROWSER, "xdg-open"]);
    assertEquals(programs("darwin", { BROWSER }), [BROWSER, "/usr/bin/open"]);
  }
  const shells = [
    "firefox %s",
    "a:b",
    "sh -c",
    "$(id)",
    "a;b",
    "a|b",
    "a&b",
    "'a'",
    '"a"',
    "-a",
    "a\nb",
    "`a`",
    "~/a",
    "a*",
    "",
  ];
  for (const BROWSER of shells) {
    assertEquals(programs("linux", { BROWSER, DISPLAY: ":0" }), ["xdg-open"], BROWSER);
  }
  assertEquals(programs("linux", { BROWSER: "none", DISPLAY: ":0" }), []);
  assertEquals(programs("win32", { BROWSER: "firefox" }), ["C:\\Windows\\System32\\rundll32.exe"]);
});

test("in a container only BROWSER is tried", () => {
  assertEquals(programs("linux", { DISPLAY: ":0", WSL_DISTRO_NAME: "Debian" }, true), []);
  assertEquals(programs("linux", { DISPLAY: ":0", BROWSER: "helper" }, true), ["helper"]);
});

test("D1 to D7: a container is told from a machine", () => {
  const rows: readonly [row: string, cgroup: string | undefined, marked: boolean, container: boolean][] = [
    ["D1", "0::/init.scope\n", false, false],
    ["D2", "12:pids:/\n11:hugetlb:/\n0::/\n", false, false],
    ["D3", "0::/\n", true, true],
    ["D4", "0::/", true, true],
    ["D5: docker", "12:pids:/docker/0123abc\n0::/\n", false, true],
    ["D6", "0::/kubepods/besteffort/pod123/abc", false, true],
    ["D6: systemd", "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-0a.scope", false, true],
    ["D7", undefined, false, false],
    ["docker by systemd", "0::/system.slice/docker-0123abc.scope", false, true],
    ["podman", "0::/machine.slice/libpod-0123abc.scope/container", false, true],
    ["LXC", "1:name=systemd:/lxc/box", false, true],
    ["a user's session", "0::/user.slice/user-1000.slice/session-2.scope", false, false],
    ["a name that only begins so", "0::/system.slice/dockerless.service", false, false],
    ["a controller's name", "3:docker:/", false, false],
    ["nothing", "", false, false],
  ];
  for (const [row, cgroup, marked, container] of rows) {
    assertEquals(isContainer({ cgroup, marked }), container, row);
  }
});
