package deploy

import (
	"slices"
	"testing"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

func TestKustomize(t *testing.T) {
	for _, name := range []string{"standard", "autosharding", "per-node", "standby", "namespaced"} {
		t.Run(name, func(t *testing.T) {
			built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "../../deploy/kustomize/"+name)
			if err != nil {
				t.Fatal(err)
			}
			text, err := built.AsYaml()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, "testdata/kustomize/"+name+".yaml", string(text))
			all := objects(t, string(text))
			checkObjects(t, all)
			checkSelectors(t, all)
			checkRoles(t, map[string]any{"rbac": map[string]any{"useClusterRole": name != "namespaced"}}, all)
			if cluster := slices.ContainsFunc(all, func(o object) bool { return o.namespace() == "" }); cluster == (name == "namespaced") {
				t.Errorf("cluster-wide rights: %t", cluster)
			}
		})
	}
}
