/** Where the CLI looks when it is not told. */
const DEFAULT_PORT = '8080';

/** What to try next, for a person who has started the server with its sample product. */
export const hints = ({ url, data }: { readonly url: string; readonly data: string }): string => {
  const { port } = new URL(url);
  const perdure = `npm run perdure --${port === DEFAULT_PORT ? '' : ` --url ${url}`}`;
  return `
Perdure serves ${url}, with its state in ${data}. The sample shop takes orders; most are delivered within seconds.
In another terminal:

  ${perdure} list                            the deliveries
  ${perdure} show <workflow id>              one of them, step by step
  ${perdure} start deliver --id order-1 --input '{"orderId":"1","item":"lamp","amount":30,"address":"Rome"}' --wait

Kill it however you like: started again, it goes on from there. The README has a tour of five minutes.
`;
};
