import { serviceOf, type Confirmation, type Envelope, type Service, type SliceName } from '@perdure/delivery';

/** One envelope, or one confirmation, as text: it is counted in bytes and written once. */
export interface Mail {
  readonly kind: 'envelope' | 'confirmation';
  readonly service: Service;
  readonly json: string;
  readonly bytes: number;
  /** Slices have no order to keep, but an owner's node is asked for less often when its mail is together. */
  readonly partitionKey: SliceName;
}

/** Mail to the service of its destination, cut where it is too large. */
export const toMails = ({ source, destination, mark, messages }: Envelope, bytesMax: number): Mail[] => {
  const head = `{"source":${JSON.stringify(source)},"destination":${JSON.stringify(destination)},"mark":${mark},"messages":[`;
  const mails: Mail[] = [];
  let texts: string[] = [];
  let bytes = 0;
  const end = (): void => {
    mails.push({ kind: 'envelope', service: serviceOf(destination), json: `${head}${texts.join(',')}]}`, bytes: bytes + head.length, partitionKey: destination });
    texts = [];
    bytes = 0;
  };
  for (const message of messages) {
    const text = JSON.stringify(message);
    const length = Buffer.byteLength(text) + 1;
    if (texts.length > 0 && bytes + length > bytesMax) end();
    texts.push(text);
    bytes += length;
  }
  if (texts.length > 0) end();
  return mails;
};

/** Mail to the service that the messages came from. */
export const toConfirmationMail = ({ source, destination, numbers }: Confirmation): Mail => {
  const json = JSON.stringify({ source, destination, numbers });
  return { kind: 'confirmation', service: serviceOf(source), json, bytes: json.length, partitionKey: source };
};

/** The body of a call or an event, as `parseDeliveries` reads it. */
export const toBody = (mails: readonly Mail[]): string => {
  const of = (kind: Mail['kind']): string => mails.filter((mail) => mail.kind === kind).map(({ json }) => json).join(',');
  return `{"envelopes":[${of('envelope')}],"confirmations":[${of('confirmation')}]}`;
};
