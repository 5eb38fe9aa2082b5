/** etcd as a test asks it, past the adapter. */
export async function etcdCall(address: string, path: string, body: object): Promise<unknown> {
  const answer = await fetch(`http://${address}${path}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`etcd answered ${path} with ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

export async function keysUnder(address: string, prefix: string): Promise<{ readonly key: string; readonly lease: string }[]> {
  const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
  const { kvs = [] } = (await etcdCall(address, '/v3/kv/range', { key: btoa(prefix), range_end: btoa(end) })) as { kvs?: { key: string; lease: string }[] };
  return kvs.map(({ key, lease }) => ({ key: atob(key), lease }));
}
