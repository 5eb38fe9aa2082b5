/** How etcd is spoken to. Endpoints that begin with `https://` are to show a certificate of the name they are reached by. */
export interface EtcdSecurity {
  readonly tls?: EtcdTls;
  /** Of etcd's own users, where it has any. */
  readonly user?: EtcdUser;
}

/** Each of them PEM. */
export interface EtcdTls {
  /** Who may have signed etcd's certificate. Absent: whom Node trusts. */
  readonly ca?: string;
  /** What an etcd that asks for a certificate is shown. */
  readonly cert?: string;
  readonly key?: string;
}

export interface EtcdUser {
  readonly name: string;
  readonly password: string;
}
