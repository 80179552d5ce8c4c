/** A version that clients of both 7 and 8 go on with. */
const version = '8.17.0';

/** A JSON answer with which Filebeat, Logstash, Vector and Fluent Bit go on. Nothing of what they ask for is kept. */
export const elasticsearchAnswer = (method: string, path: string): unknown => {
  if (method === 'PUT' || method === 'POST') return { acknowledged: true };
  if (path === '/')
    return {
      name: 'holdfast',
      cluster_name: 'holdfast',
      cluster_uuid: 'holdfast',
      version: {
        number: version,
        build_flavor: 'default',
        build_type: 'deb',
        build_snapshot: false,
        lucene_version: '9.12.0',
        minimum_wire_compatibility_version: '7.17.0',
        minimum_index_compatibility_version: '7.0.0',
      },
      tagline: 'You Know, for Search',
    };
  if (path === '/_license' || path === '/_xpack') return { license };
  if (path.startsWith('/_cluster/health'))
    return { cluster_name: 'holdfast', status: 'green', timed_out: false };
  return {};
};

const license = { status: 'active', uid: 'holdfast', type: 'basic', mode: 'basic' };

/** Clients from 7.14 on speak to nothing without it. */
export const productHeader = { 'X-Elastic-Product': 'Elasticsearch' };
