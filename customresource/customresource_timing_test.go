package customresource

import (
	"fmt"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kjson "k8s.io/apimachinery/pkg/util/json"

	"github.com/kubestate/kubestate/metric"
)

// certificate is a custom resource of common size: 4 KB, half of it managed fields.
func certificate() []byte {
	var managed []string
	for i := range 40 {
		managed = append(managed, fmt.Sprintf(`"f:field-%d":{"f:sub":{},"f:other":{}}`, i))
	}
	return fmt.Appendf(nil, `{"apiVersion":"cert-manager.io/v1","kind":"Certificate","metadata":{"name":"shop","namespace":"web","uid":"u-1",
"resourceVersion":"12","generation":3,"creationTimestamp":"2026-01-01T00:00:00Z","labels":{"app":"shop"},
"managedFields":[{"manager":"kubectl","operation":"Apply","fieldsV1":{%s}}]},
"spec":{"secretName":"shop-tls","dnsNames":["shop.example.com","www.shop.example.com"],"issuerRef":{"name":"letsencrypt","kind":"ClusterIssuer"},
"duration":"2160h0m0s","renewBefore":"360h0m0s","usages":["digital signature","key encipherment"]},
"status":{"conditions":[{"type":"Ready","status":"True","reason":"Ready","message":"Certificate is up to date","lastTransitionTime":"2026-01-01T00:00:00Z"},
{"type":"Issuing","status":"False","reason":"x","message":"y","lastTransitionTime":"2026-01-01T00:00:00Z"}],
"notAfter":"2026-04-01T00:00:00Z","notBefore":"2026-01-01T00:00:00Z","renewalTime":"2026-03-15T00:00:00Z","revision":2}}`, strings.Join(managed, ","))
}

const certificateMetrics = `    - {name: ready, each: {type: Gauge, gauge: {path: [status, conditions, '[type=Ready]', status]}}}
    - {name: not_after, each: {type: Gauge, gauge: {path: [status, notAfter]}}}
    - {name: conditions, each: {type: Gauge, gauge: {path: [status, conditions], labelsFromPath: {type: [type]}, valueFrom: [status]}}}
    - {name: info, each: {type: Info, info: {path: [spec, issuerRef], labelsFromPath: {issuer: [name], kind: [kind]}}}}
    - {name: revision, labelsFromPath: {name: [metadata, name], namespace: [metadata, namespace]}, each: {type: Gauge, gauge: {path: [status, revision]}}}
`

func BenchmarkDecode(b *testing.B) {
	c, err := Parse(oneEntry(certificateMetrics))
	if err != nil {
		b.Fatal(err)
	}
	table, err := tableOf(c.Resources[0], nil)
	if err != nil {
		b.Fatal(err)
	}
	object := certificate()
	b.Run("fields", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := table.New().(*Object).UnmarshalJSON(object); err != nil { //nolint:forcetypeassert // it is of this table
				b.Fatal(err)
			}
		}
	})
	b.Run("unstructured", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var u unstructured.Unstructured
			if err := kjson.Unmarshal(object, &u.Object); err != nil {
				b.Fatal(err)
			}
		}
	})
	o := table.New()
	if err := kjson.Unmarshal(object, o); err != nil {
		b.Fatal(err)
	}
	b.Run("collect", func(b *testing.B) {
		b.ReportAllocs()
		e := metric.NewEmitter(&discard{})
		for b.Loop() {
			if err := table.Collect(o, e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

type discard struct{}

func (*discard) Begin(*metric.Schema, []string) {}
func (*discard) Sample(*metric.Sample)          {}
