{
  description = "FlareDB: a linearizable key-value store, replicated by Raft, for TypeScript and Node";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (nixpkgs) lib;

      # RocksDB's binding has binaries for these.
      systems = [
        "x86_64-linux"
        "aarch64-darwin"
      ];
      forEachSystem = make: lib.genAttrs systems (system: make nixpkgs.legacyPackages.${system});

      manifest = lib.importJSON ./packages/rdb-cli/package.json;

      # Of everything in pnpm-lock.yaml; it changes with that file. When it is wrong, `nix build` prints the right one.
      dependenciesHash = lib.fakeHash;

      packageFor =
        pkgs:
        pkgs.stdenv.mkDerivation (final: {
          pname = "flaredb";
          inherit (manifest) version;
          src = self;

          pnpmDeps = pkgs.fetchPnpmDeps {
            inherit (final) pname version src;
            fetcherVersion = 3;
            hash = dependenciesHash;
          };
          nativeBuildInputs = [
            pkgs.nodejs_24
            pkgs.pnpm
            pkgs.pnpmConfigHook
          ];
          buildInputs = [ pkgs.nodejs_24 ];

          buildPhase = ''
            runHook preBuild
            deploy/build.sh "$PWD/programs"
            runHook postBuild
          '';
          installPhase = ''
            runHook preInstall
            mkdir -p $out/libexec $out/bin
            mv programs $out/libexec/flaredb
            for program in rdb rdb-pd rdb-server; do
              ln -s $out/libexec/flaredb/bin/$program $out/bin/$program
            done
            patchShebangs $out/libexec/flaredb/bin $out/libexec/flaredb/node_modules/@flaredb
            runHook postInstall
          '';

          meta = {
            inherit (manifest) description;
            license = lib.licenses.asl20;
            mainProgram = "rdb";
            platforms = systems;
          };
        });
    in
    {
      packages = forEachSystem (pkgs: {
        default = packageFor pkgs;
      });

      # `nix flake check`: the programs build, start, and print their help.
      checks = forEachSystem (pkgs: {
        programs = pkgs.runCommand "flaredb-programs" { } ''
          for program in rdb rdb-pd rdb-server; do
            ${packageFor pkgs}/bin/$program --help
          done
          touch $out
        '';
      });

      # `nix develop`: what `npm start` and `npm test` would otherwise bring from npm.
      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = [
            pkgs.nodejs_24
            pkgs.pnpm
            pkgs.buf
          ];
        };
      });
    };
}
