import { z } from "zod";
import { memberDocument, memberSchema } from "../documents/member.ts";
import { type Endpoint, endpoint } from "../endpoint.ts";
import { id, idInPath } from "../schemas.ts";

const params = z.strictObject({ memberId: idInPath });

export const memberEndpoints: readonly Endpoint[] = [
  endpoint({
    method: "GET",
    path: "/members",
    id: "listMembers",
    tag: "members",
    summary: "The members of the placement driver, and which leads",
    access: "leader",
    answer: z.strictObject({ members: z.array(memberSchema) }).meta({ id: "MemberList" }),
    handle: async (_input, { calls }) => {
      const { members, leaderMemberId } = await calls.pd.getClusterInfo({});
      return { members: members.map((member) => memberDocument(member, leaderMemberId)) };
    },
  }),
  endpoint({
    method: "POST",
    path: "/members",
    id: "addMember",
    tag: "members",
    summary: "Add a member; start it then, and it gets its vote by itself",
    access: "leader",
    status: 201,
    refuses: ["RDB_ALREADY_EXISTS"],
    body: z
      .strictObject({
        name: z.string().min(1),
        address: z.string().min(1).describe("host:port of its RPC endpoint."),
      })
      .meta({ id: "NewMember" }),
    answer: memberSchema,
    handle: async ({ body }, { calls }) => {
      const { member } = await calls.admin.addPdMember(body);
      const added = {
        id: 0n,
        ...body,
        httpAddress: "",
        isLearner: true,
        isUp: false,
        clusterVersion: 0,
        ...member,
      };
      return memberDocument(added, 0n);
    },
  }),
  endpoint({
    method: "DELETE",
    path: "/members/{memberId}",
    id: "removeMember",
    tag: "members",
    summary: "Take a member out for good; its process ends by itself",
    access: "leader",
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: z.strictObject({ id, isRemoved: z.literal(true) }).meta({ id: "RemovedMember" }),
    handle: async ({ params: { memberId } }, { calls }) => {
      await calls.admin.removePdMember({ memberId: BigInt(memberId) });
      return { id: memberId, isRemoved: true as const };
    },
  }),
  endpoint({
    method: "POST",
    path: "/members/{memberId}/lead",
    id: "transferPdLeader",
    tag: "members",
    summary: "Let another member lead the placement driver",
    description: "A member that lags lets its turn pass: see who leads, and ask again.",
    access: "leader",
    status: 202,
    refuses: ["RDB_NOT_FOUND", "RDB_INVALID_ARGUMENT"],
    params,
    answer: z.strictObject({ toMemberId: id }).meta({ id: "LeaderTransfer" }),
    handle: async ({ params: { memberId } }, { calls }) => {
      await calls.admin.transferPdLeader({ toMemberId: BigInt(memberId) });
      return { toMemberId: memberId };
    },
  }),
];
