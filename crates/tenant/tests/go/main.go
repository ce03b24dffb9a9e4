// Package main calls the tenant over TLS with the vendor's Go SDK, unmodified: keys are
// validated, and roles and scopes are created, read and removed.
//
// Usage: main PATH-OF-CORTEXKEY
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/exec"
	"strconv"

	"github.com/PaloAltoNetworks/cortex-cloud-go/platform"
	filters "github.com/PaloAltoNetworks/cortex-cloud-go/types/filter"
	types "github.com/PaloAltoNetworks/cortex-cloud-go/types/platform"
)

type key struct {
	ID  int    `json:"id"`
	Key string `json:"key"`
}

type ready struct {
	URL  string         `json:"url"`
	CA   string         `json:"ca"`
	Keys map[string]key `json:"keys"`
}

func main() {
	log.SetFlags(0)
	tenant := exec.Command(os.Args[1], "tenant", "--quiet", "--tls")
	tenant.Stderr = os.Stderr
	out := must(tenant.StdoutPipe())
	check(tenant.Start())
	err := run(out)
	check(tenant.Process.Signal(os.Interrupt))
	check(tenant.Wait())
	check(err)
}

func run(out interface{ Read([]byte) (int, error) }) error {
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return err
	}
	var ready ready
	if err := json.Unmarshal(line, &ready); err != nil {
		return err
	}
	for _, kind := range []string{"standard", "advanced"} {
		if err := calls(ready, kind); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		fmt.Printf("cortex-cloud-go, %s: validate, health, roles, scopes, asset groups\n", kind)
	}
	return nil
}

func calls(ready ready, kind string) error {
	key, ctx := ready.Keys[kind], context.Background()
	client, err := connect(ready, kind, key.Key)
	if err != nil {
		return err
	}
	if valid, err := client.ValidateAPIKey(ctx); err != nil || !valid {
		return fmt.Errorf("validate: %v, %w", valid, err)
	}
	if health, err := client.HealthCheck(ctx); err != nil || health.Status != "available" {
		return fmt.Errorf("health: %+v, %w", health, err)
	}
	if err := roles(ctx, client); err != nil {
		return err
	}
	if err := scopes(ctx, client, strconv.Itoa(key.ID)); err != nil {
		return err
	}
	other, err := connect(ready, kind, "wrong"+key.Key[5:])
	if err != nil {
		return err
	}
	if valid, err := other.ValidateAPIKey(ctx); err == nil && valid {
		return fmt.Errorf("a wrong key is good")
	}
	return nil
}

func connect(ready ready, kind, key string) (*platform.Client, error) {
	pem, err := os.ReadFile(ready.CA)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return platform.NewClient(
		platform.WithCortexAPIURL(ready.URL),
		platform.WithCortexAPIKeyID(ready.Keys[kind].ID),
		platform.WithCortexAPIKey(key),
		platform.WithCortexAPIKeyType(kind),
		platform.WithMaxRetries(0),
		platform.WithTransport(&http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		}),
	)
}

func roles(ctx context.Context, client *platform.Client) error {
	config, err := client.ListPermissionConfigs(ctx)
	if err != nil || len(config.Data.RbacPermissions) == 0 {
		return fmt.Errorf("permission config: %w", err)
	}
	made, err := client.CreateRole(ctx, types.RoleCreateRequest{
		RequestData: types.RoleCreateRequestData{
			PrettyName:           "From Go",
			ComponentPermissions: []string{"auditing_view"},
		},
	})
	if err != nil || made.RoleID == "" {
		return fmt.Errorf("create role: %+v, %w", made, err)
	}
	has := func() (bool, error) {
		listed, err := client.ListAllRoles(ctx)
		if err != nil {
			return false, err
		}
		for _, role := range listed.Data {
			if role.RoleID == made.RoleID {
				return role.PrettyName == "From Go" && role.IsCustom, nil
			}
		}
		return false, nil
	}
	if there, err := has(); err != nil || !there {
		return fmt.Errorf("list roles: %v, %w", there, err)
	}
	if err := client.DeleteRole(ctx, made.RoleID); err != nil {
		return fmt.Errorf("delete role: %w", err)
	}
	if there, err := has(); err != nil || there {
		return fmt.Errorf("list roles after deleting: %v, %w", there, err)
	}
	return nil
}

func scopes(ctx context.Context, client *platform.Client, id string) error {
	groups, err := client.ListAssetGroups(ctx, types.ListAssetGroupsRequest{
		Filters: filters.NewRootFilter([]filters.Filter{
			filters.NewSearchFilter("XDM.ASSET_GROUP.NAME", "EQ", "prod-eu"),
		}, nil),
	})
	if err != nil || len(groups) != 1 {
		return fmt.Errorf("asset groups: %+v, %w", groups, err)
	}
	err = client.EditScope(ctx, "api-key", id, types.EditScopeRequestData{
		Assets:      &types.EditAssets{Mode: "scope", AssetGroupIDs: []int{groups[0].ID}},
		CasesIssues: &types.EditCasesIssues{Mode: "scope", Names: []string{"IT"}},
		Endpoints: &types.EditEndpoints{
			EndpointGroups: &types.EditEndpointGroups{Mode: "no_scope", Names: []string{}},
			EndpointTags:   &types.EditEndpointTags{Mode: "no_scope", Names: []string{}},
		},
	})
	if err != nil {
		return fmt.Errorf("edit scope: %w", err)
	}
	read, err := client.GetScope(ctx, "api-key", id)
	if err != nil || len(read.Assets.AssetGroups) != 1 || read.CasesIssues.Mode != "scope" {
		return fmt.Errorf("get scope: %+v, %w", read, err)
	}
	return nil
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func must[T any](value T, err error) T {
	check(err)
	return value
}
