import { existsSync } from 'node:fs';

/** Folders of Chromium and Chrome on Linux, which bring SwiftShader and a Vulkan loader. */
const BROWSER_FOLDERS = ['/usr/lib/chromium', '/usr/lib/chromium-browser', '/opt/google/chrome'];

/**
 * The environment in which a process of Node finds the software Vulkan of an installed Chromium, for tests of WebGPU
 * without a GPU; undefined where there is none. It must be there when the process starts.
 */
export function softwareVulkan(): Readonly<Record<string, string>> | undefined {
  const icd = 'vk_swiftshader_icd.json';
  const folder = BROWSER_FOLDERS.find(
    (path) => existsSync(`${path}/${icd}`) && existsSync(`${path}/libvulkan.so.1`),
  );
  return folder === undefined ? undefined : { VK_ICD_FILENAMES: `${folder}/${icd}`, LD_LIBRARY_PATH: folder };
}
