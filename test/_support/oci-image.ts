// SPDX-License-Identifier: Apache-2.0
// An image in the archive that container engines load: OCI image layout, one layer.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface OciImage {
  /** Such as "lensfs.test/busybox:1". */
  name: string;
  /** A directory with its files. */
  root: string;
  entrypoint: readonly string[];
}

/** Writes `${directory}.tar`, with `directory` as the place to work in. */
export async function writeOciImage(directory: string, image: OciImage): Promise<string> {
  const { name, root, entrypoint } = image;
  const blobs = join(directory, 'blobs/sha256');
  await mkdir(blobs, { recursive: true });
  const store = async (mediaType: string, content: object | Buffer) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content));
    const hash = createHash('sha256').update(bytes).digest('hex');
    await writeFile(join(blobs, hash), bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  };
  const type = (suffix: string) => `application/vnd.oci.image.${suffix}`;
  const tar = ['--numeric-owner', '--owner=0', '--group=0', '-C', root, '-cf', '-', '.'];
  const files = execFileSync('tar', tar, { maxBuffer: 64 * 2 ** 20 });
  const layer = await store(type('layer.v1.tar'), files);
  const config = await store(type('config.v1+json'), {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: entrypoint, Env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const manifest = await store(type('manifest.v1+json'), {
    schemaVersion: 2,
    mediaType: type('manifest.v1+json'),
    config,
    layers: [layer],
  });
  const annotations = { 'io.containerd.image.name': name };
  const index = { schemaVersion: 2, manifests: [{ ...manifest, annotations }] };
  await writeFile(join(directory, 'index.json'), JSON.stringify(index));
  await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  execFileSync('tar', ['-C', directory, '-cf', `${directory}.tar`, '.']);
  return `${directory}.tar`;
}
