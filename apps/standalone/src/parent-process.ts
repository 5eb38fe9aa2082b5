/** For a server that another program has forked (`perdure dev`): tells it when it listens, and ends with it, however that ends. */
export const attendParent = (url: string, stop: () => void): void => {
  if (!process.send) return;
  if (!process.connected) return stop();
  process.once('disconnect', stop);
  process.send({ kind: 'listening', url });
};
