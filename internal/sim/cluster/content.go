package cluster

import (
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Chances of what applications bring along.
const (
	releaseShare = 0.25 // is installed by Helm, which keeps the release in a Secret
	largeShare   = 0.05 // has a configuration of tens of kilobytes
)

func (g *generator) configMap(namespace, app string) *corev1.ConfigMap {
	line := "upstream: " + app + "." + namespace + ".svc.cluster.local # " + g.suffix(20) + "\n"
	lines := 1 + g.rand.IntN(40)
	if g.chance(largeShare) {
		lines *= 20
	}
	return &corev1.ConfigMap{
		ObjectMeta: g.meta(namespace, app+"-config", g.ago(g.between(0, 1000*time.Hour)), selectorOf(app)),
		Data:       map[string]string{"config.yaml": strings.Repeat(line, lines)},
	}
}

// secrets makes the credentials that the pods mount, if they do, and sometimes
// what Helm knows about the application.
func (g *generator) secrets(namespace, app string, pods *corev1.PodSpec) error {
	for i := range pods.Volumes {
		if pods.Volumes[i].Secret == nil {
			continue
		}
		if err := g.secret(namespace, pods.Volumes[i].Secret.SecretName, app, corev1.SecretTypeOpaque, map[string][]byte{
			"username": []byte(app), "password": g.blob(32)}); err != nil {
			return err
		}
	}
	if !g.chance(releaseShare) {
		return nil
	}
	name := fmt.Sprintf("sh.helm.release.v1.%s.v%d", app, 1+g.rand.IntN(30))
	return g.secret(namespace, name, app, "helm.sh/release.v1", map[string][]byte{"release": g.blob(4_000 + g.rand.IntN(20_000))})
}

func (g *generator) secret(namespace, name, app string, kind corev1.SecretType, data map[string][]byte) error {
	secret := &corev1.Secret{
		ObjectMeta: g.meta(namespace, name, g.ago(g.between(0, 1000*time.Hour)), selectorOf(app)),
		Type:       kind,
		Data:       data,
	}
	return g.put(secret, "helm", "", "v1", nil)
}

// poolSize is the length of the text that blobs are cut from.
const poolSize = 64 << 10

// blob returns text that looks like base64 and compresses no better. Blobs share
// memory: they must not change.
func (g *generator) blob(size int) []byte {
	if g.pool == nil {
		raw := make([]byte, base64.StdEncoding.DecodedLen(poolSize))
		for i := range raw {
			raw[i] = byte(g.rand.Uint32())
		}
		g.pool = base64.StdEncoding.AppendEncode(nil, raw)
	}
	start := g.rand.IntN(len(g.pool) - size)
	return g.pool[start : start+size : start+size]
}
